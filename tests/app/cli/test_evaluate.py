from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from evaluation.beir import BeirSet
from evaluation.experiment import evaluate_runs
from evaluation.runs import Run


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("".join(f'{{"_id": "d{i}", "title": "", "text": "t"}}\n' for i in range(3)))
    (folder / "queries.jsonl").write_text("".join(f'{{"_id": "q{i}", "text": "q"}}\n' for i in range(2)))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td0\t1\nq1\td1\t1\n")
    (tmp_path / "good.trec").write_text("q0 Q0 d0 1 2.0 x\nq1 Q0 d1 1 2.0 x\n")
    (tmp_path / "half.trec").write_text("q0 Q0 d0 1 2.0 x\n")
    return folder


def test_stored_runs_are_scored_and_compared_with_the_first(run: Any, tiny: Path, tmp_path: Path) -> None:
    ended = run("evaluate", tiny, "--run", "good.trec", "--run", "half.trec", "--out", "results", "--json")
    assert ended.code == 0
    document = ended.document
    assert document["baseline"] == "good"
    scores = {row["name"]: row["values"]["nDCG@10"] for row in document["rows"]}
    assert [next(iter(scores[name].values())) for name in ("good", "half")] == [1.0, 0.5]
    assert document["out"] == "results"
    assert json.loads((tmp_path / "results" / "metrics.json").read_text())["baseline"] == "good"


def test_results_go_below_home_by_default(run: Any, tiny: Path, tmp_path: Path) -> None:
    ended = run("--home", "h", "evaluate", "tiny", "--run", "good.trec")
    assert (tmp_path / "h" / "evaluations" / "tiny-test" / "good.trec").is_file()
    assert "nDCG@10" in ended.out
    assert f"Runs and scores are in {tmp_path / 'h' / 'evaluations' / 'tiny-test'}." in ended.out


def test_a_missing_split_is_an_error_that_names_those_there_are(run: Any, tiny: Path) -> None:
    ended = run("evaluate", tiny, "--run", "good.trec", "--split", "dev")
    assert ended.code == 1
    assert "Splits it has: test." in ended.err


def test_searching_is_handed_over_with_all_options(
    run: Any, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, Path, dict[str, Any]]] = []

    def evaluate_folder(settings: Any, path: Path, **options: Any) -> Any:
        options.pop("on_progress")("dense: 1 of 2 questions")
        calls.append((settings, path, options))
        return evaluate_runs(BeirSet.read(path), [Run.read("good.trec", "dense")], options["out"])

    monkeypatch.setattr("app.evaluate.evaluate_folder", evaluate_folder)
    ended = run("evaluate", "tiny", "--modes", "bm25, dense", "--limit", "1", "--out", "o", "--json")
    [(settings, path, options)] = calls
    assert (settings.home, path) == (tmp_path / ".symposia", Path("tiny"))
    assert options == {"split": "test", "modes": ("bm25", "dense"), "out": Path("o"), "limit": 1}
    assert ended.document["rows"][0]["name"] == "dense"
    assert "dense: 1 of 2 questions" in ended.err


@pytest.mark.parametrize("options", [("--modes", "dens"), ("--modes", ","), ("--limit", "0")])
def test_options_that_make_no_sense_are_wrong_usage(run: Any, tiny: Path, options: tuple[str, ...]) -> None:
    assert run("evaluate", tiny, *options).code == 2


def test_a_limit_does_not_go_with_a_stored_run(run: Any, tiny: Path) -> None:
    ended = run("evaluate", tiny, "--run", "good.trec", "--limit", "1")
    assert ended.code == 2
    assert "scored whole" in ended.err


def test_the_table_with_all_default_measures_fits_a_hundred_columns(
    run: Any, tiny: Path, tmp_path: Path, terminal: None
) -> None:
    Path("half.trec").rename("a-run-named-long.trec")
    ended = run("evaluate", tiny, "--run", "good.trec", "--run", "a-run-named-long.trec", "--out", "results")
    for measure in ("nDCG@10", "R@100", "MAP", "MRR"):
        assert measure in ended.out
    text = re.sub(r"\x1b\[[0-9;]*m", "", ended.out)
    ruled = [line for line in text.splitlines() if "│" in line or "┃" in line]
    assert len(ruled) == 5
    assert all(len(line) <= 100 for line in ruled)
    assert "a-run-named-long" in ended.out
