from __future__ import annotations

from evaluation.answer_confidence import confidence_tables
from evaluation.answer_records import Record
from tests.evaluation.stored_answers import record, refusal

ABSENT = {"answerable": False, "answers": []}


def sure(relevance: float, said: str = "Paris.", **more: object) -> Record:
    return record(said, signals={"relevance": relevance, "divergence": 0.1}, **more)  # type: ignore[arg-type]


def test_signals_that_part_answerable_from_unanswerable_have_an_auroc_of_1() -> None:
    refused = refusal(signals={"relevance": 0.1}, **ABSENT)
    [table, *_] = confidence_tables([sure(0.9), sure(0.8), refused])
    assert table.title == "Can the sources answer?"
    assert [(row.name, row.n, row.values["AUROC"].value) for row in table.rows] == [("relevance", 3, 1.0)]


def test_whether_an_answer_is_right_is_asked_of_answers_only() -> None:
    [table] = confidence_tables([sure(0.9), sure(0.2, "Lyon."), refusal(signals={"relevance": 0.1})])
    assert table.title == "Is the answer that was given right?"
    assert (table.rows[0].n, table.rows[0].values["AUROC"].value) == (2, 1.0)
    assert table.notes[0].startswith("1 of 2 answers are right.")


def test_questions_with_a_context_are_kept_apart() -> None:
    records = [sure(0.9), sure(1.0, context="Paris."), sure(1.0, context="Rome.", **ABSENT)]
    titles = [table.title for table in confidence_tables(records)]
    assert titles == ["Can the sources answer?, contexts given", "Is the answer that was given right?, contexts given"]


def test_nothing_is_said_without_cases_of_both_kinds_or_without_a_signal() -> None:
    assert confidence_tables([sure(0.9), sure(0.8)]) == []
    assert confidence_tables([record(), refusal(**ABSENT)]) == []
    assert confidence_tables([]) == []


def test_a_refusal_before_a_signal_was_measured_is_the_least_sure() -> None:
    early = refusal(signals={"relevance": 0.1}, **ABSENT)
    measured = [record("Paris.", signals={"relevance": 0.9, "confidence": value}) for value in (0.0, 0.7)]
    [table] = confidence_tables([*measured, early])
    assert [(row.name, row.values["AUROC"].value) for row in table.rows] == [("confidence", 0.75), ("relevance", 1.0)]
    late = record("Paris.", signals={"relevance": 0.9})
    [table] = confidence_tables([*measured, late, early])
    assert [row.name for row in table.rows] == ["relevance"]
