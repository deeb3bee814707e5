from __future__ import annotations

import numpy as np

from evaluation.answer_scores import right, score
from tests.evaluation.stored_answers import record, refusal, unasked


def test_an_answer_is_compared_with_its_gold() -> None:
    scores = score([record("Paris."), record("Paris is it."), record("Lyon.")])
    assert scores["EM"].tolist() == [1, 0, 0]
    assert scores["contains"].tolist() == [1, 1, 0]
    assert np.allclose(scores["F1"], [1, 0.5, 0])
    assert scores["answered"].tolist() == [1, 1, 1]


def test_a_question_without_an_answer_in_the_sources_is_right_where_it_is_refused() -> None:
    absent = {"answerable": False, "answers": []}
    scores = score([refusal(**absent), record("Paris.", **absent)])
    assert scores["EM"].tolist() == scores["contains"].tolist() == scores["F1"].tolist() == [1, 0]
    assert scores["answered"].tolist() == [0, 1]


def test_a_refusal_of_what_the_sources_hold_and_a_skipped_question_score_0() -> None:
    scores = score([refusal(), unasked(), unasked(answerable=False, answers=[])])
    assert all(values.tolist() == [0, 0, 0] for values in scores.values())


def test_without_a_gold_answer_nothing_is_compared() -> None:
    scores = score([record(answers=[], passages=["k1"])])
    assert np.isnan(scores["EM"][0]) and scores["answered"][0] == 1
    assert not right(record(answers=[], passages=["k1"]))
