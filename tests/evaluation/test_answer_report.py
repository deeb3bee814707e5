from __future__ import annotations

import json

import pytest

from evaluation.answer_report import ALL, per_question, quality, skipped, steps
from tests.evaluation.stored_answers import record, refusal, unasked

ABSENT = {"answerable": False, "answers": [], "slice": "absent"}
RECORDS = [record(id="1"), record("Lyon.", id="2"), unasked(id="3"), refusal(id="4", **ABSENT)]


def test_quality_is_given_for_all_and_for_each_slice() -> None:
    table = quality(RECORDS, resamples=200)
    found = {row.name: (row.n, row.values["contains"].value) for row in table.rows}
    assert found == {ALL: (4, 0.5), "s": (3, pytest.approx(1 / 3)), "absent": (1, 1.0)}


def test_one_slice_is_given_once() -> None:
    assert [row.name for row in quality(RECORDS[:3], resamples=200).rows] == ["s"]


def test_questions_without_gold_answers_are_left_out_of_what_needs_them_and_counted() -> None:
    table = quality([record(), record(answers=[], passages=["k1"])], resamples=200)
    assert table.rows[0].values["EM"].value == 0.0 and table.rows[0].values["contains"].value == 1.0
    assert "1 of 2 questions have no gold answer" in table.notes[-1]


def test_steps_have_the_number_that_they_apply_to() -> None:
    table = steps(RECORDS)
    found = [(row.name, row.n, row.values["share"].value) for row in table.rows]
    assert found == [
        ("evidence found", 3, pytest.approx(2 / 3)),
        ("  s", 3, pytest.approx(2 / 3)),
        ("used, where found", 2, 0.5),
        ("  s", 2, 0.5),
        ("refused, where not found", 1, 1.0),
        ("  absent", 1, 1.0),
        ("refused, though found", 2, 0.0),
        ("  s", 2, 0.0),
    ]
    assert table.notes[-1] == "Applies to no question here: under-trust of context, over-trust of context."


def test_skipped_questions_are_named_with_the_reason() -> None:
    assert skipped(RECORDS) == ["1 of 4 questions could not be asked and score 0 (3): The question is empty."]
    assert skipped(RECORDS[:2]) == []


def test_scores_of_each_question_are_written_by_slice_with_the_measures_that_apply_to_all_of_it() -> None:
    records = [*RECORDS, record(id="5", slice="passages", answers=[], passages=["k1"])]
    lines = [json.loads(line) for line in per_question("mine", records)]
    assert [(line["set"], line["question"], line.get("contains")) for line in lines] == [
        ("s", "1", 1.0),
        ("s", "2", 0.0),
        ("s", "3", 0.0),
        ("absent", "4", 1.0),
        ("passages", "5", None),
    ]
    assert lines[-1] == {"run": "mine", "set": "passages", "question": "5", "answered": 1.0}
