from __future__ import annotations

from pathlib import Path

import numpy as np

from evaluation.answer_comparison import compare_steps, compare_stored
from evaluation.answer_records import FILE, append_records
from evaluation.stored import Judged, StoredRun
from tests.evaluation.stored_answers import record, refusal

ELSEWHERE = ("Rome is in Italy.",)
ONE = [record(id="1"), record(id="2"), record(id="3", found=ELSEWHERE)]
TWO = [record("Lyon.", id="2"), record(id="1"), refusal(id="3")]


def test_a_step_is_compared_over_the_questions_that_it_applies_to_in_every_run() -> None:
    tables = {table.title: table for table in compare_steps({"one": ONE, "two": TWO}, resamples=200)}
    assert list(tables) == ["evidence found", "used, where found", "refused, though found"]
    found, used = tables["evidence found"], tables["used, where found"]
    assert [(row.n, row.values[found.title].value) for row in found.rows] == [(3, 2 / 3), (3, 1.0)]
    assert [(row.n, row.values[used.title].value) for row in used.rows] == [(2, 1.0), (2, 0.5)]
    assert used.row("two").difference[used.title].value == -0.5
    assert used.baseline == "one"


def stored(name: str, folder: Path, ids: tuple[str, ...] = ("1", "2", "3")) -> StoredRun:
    return StoredRun(name, Judged("s", "", "x", len(ids)), ids, {"EM": np.zeros(len(ids))}, folder)


def test_stored_runs_are_compared_where_they_have_answers(tmp_path: Path) -> None:
    append_records(tmp_path / "one" / FILE, ONE)
    append_records(tmp_path / "two" / FILE, TWO)
    runs = [stored("one", tmp_path / "one", ("1", "2")), stored("two", tmp_path / "two", ("1", "2"))]
    [found, *_] = compare_stored(runs, baseline="two")
    assert (found.baseline, found.rows[0].n) == ("two", 2)
    assert compare_stored([runs[0], stored("trec", tmp_path / "none")]) == []
