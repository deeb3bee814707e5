from __future__ import annotations

import pytest

from evaluation.answer_citations import citations_table, cited, gold_score, judged_score
from tests.evaluation.stored_answers import record, refusal, unasked

THREE = ("Paris is the capital.", "The Seine.", "Rome.")


def test_citations_are_compared_with_the_gold_passages() -> None:
    score = gold_score(record(found=THREE, cited=(1, 3), passages=["k1", "d2"]))
    assert score is not None and (score.precision, score.recall) == (0.5, 0.5)


def test_two_pieces_of_one_gold_document_count_once() -> None:
    one = record(found=THREE, cited=(1, 2), passages=["d1"])
    assert one.answer is not None
    one.answer["evidence"][1]["passage"]["document_id"] = "d1"
    score = gold_score(one)
    assert score is not None and (score.precision, score.recall) == (1.0, 1.0)


def test_sides_of_a_conflict_cite_too_and_a_refusal_cites_nothing() -> None:
    assert cited(record(found=THREE, sides=(("Paris", (2,)), ("Rome", (3, 1))))) == [1, 2, 3]
    assert cited(refusal()) == cited(unasked()) == []


def test_every_question_with_gold_passages_counts_and_others_do_not() -> None:
    records = [record(passages=["k1"]), refusal(passages=["k1"]), unasked(passages=["k1"]), record()]
    table = citations_table(records)
    assert table is not None
    [row] = table.rows
    assert (row.n, row.values["F1"].value) == (3, pytest.approx(1 / 3))


def test_a_judge_sees_title_and_text_of_what_a_sentence_cites() -> None:
    asked = []

    def judge(premise: str, said: str) -> bool:
        asked.append((premise, said))
        return True

    score = judged_score(record(), judge)
    assert score is not None and (score.precision, score.recall) == (1.0, 1.0)
    assert asked == [("T\nParis is the capital of France.", "Paris is the capital.")]
    assert judged_score(refusal(), judge) is None
    table = citations_table([record(), refusal()], judge, "a-model")
    assert table is not None and table.rows[0].n == 1 and "a-model" in table.notes[-1]


def test_without_gold_passages_and_judge_there_is_no_table() -> None:
    assert citations_table([record()]) is None
