from __future__ import annotations

import io
from pathlib import Path

from app.bench.abstention.run import OURS, RELEVANCE, Outcome
from app.bench.abstention.show import differences, show
from app.cli.output import Output
from evaluation.abstention import AURC, AUROC, COVERED, REFUSED, abstention_table

RIGHT = [True, True, True, False, False, False]
SCORES = {RELEVANCE: [0.9, 0.8, 0.3, 0.4, 0.2, 0.1], OURS: [0.9, 0.8, 0.5, 0.4, 0.2, 0.1]}
TABLE = abstention_table("A set", RIGHT, SCORES, baseline=RELEVANCE, resamples=50)


def test_each_system_stands_beside_the_baseline_with_its_difference_and_the_interval() -> None:
    above, below = differences(TABLE)
    difference = TABLE.row(OURS).difference[AUROC]
    assert difference.value > 0
    assert above[:2] == (OURS, "+0.111")
    assert below[1] == difference.signed.split(" ", 1)[1]
    assert len(above) == len(below) == 1 + len(TABLE.measures)


def test_the_terminal_shows_the_differences_and_that_the_thresholds_were_seen_afterwards(tmp_path: Path) -> None:
    stream = io.StringIO()
    show(Outcome((TABLE,), (tmp_path / "curve.svg",)), Output(stream, io.StringIO()))
    shown = [" ".join(line.split()) for line in stream.getvalue().splitlines()]
    assert f"less {RELEVANCE} {AUROC} {AURC} {REFUSED} {COVERED}" in shown
    assert any(line.startswith(f"{OURS} +0.111") for line in shown)
    assert shown[1] == ("system n AUROC AURC refused at 5% false, in hindsight answered at 10% risk, in hindsight")


def test_a_single_system_has_nothing_to_differ_from() -> None:
    assert differences(abstention_table("A set", RIGHT, {OURS: SCORES[OURS]}, resamples=5)) == []
