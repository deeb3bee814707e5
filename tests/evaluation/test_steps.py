from __future__ import annotations

import pytest

from evaluation.answer_records import Record
from evaluation.steps import STEPS, evidence_found, evidence_used, measure, refused_rightly, refused_wrongly
from tests.evaluation.stored_answers import record, refusal, unasked

ABSENT = {"answerable": False, "answers": []}
ELSEWHERE = ("Rome is in Italy.",)


@pytest.mark.parametrize(
    ("given", "found", "used", "rightly", "wrongly"),
    [
        (record(), True, True, None, False),
        (record("Lyon."), True, False, None, False),
        (refusal(), True, False, None, True),
        (record(found=ELSEWHERE), False, None, False, None),
        (refusal(found=ELSEWHERE), False, None, True, None),
        (refusal(**ABSENT), None, None, True, None),
        (record(**ABSENT), None, None, False, None),
        (unasked(), False, None, None, None),
        (record(decision="skip", found=()), None, None, None, None),
    ],
)
def test_each_step_is_judged_where_it_applies(
    given: Record, found: bool | None, used: bool | None, rightly: bool | None, wrongly: bool | None
) -> None:
    steps = (evidence_found, evidence_used, refused_rightly, refused_wrongly)
    assert [step(given) for step in steps] == [found, used, rightly, wrongly]


def test_gold_passages_decide_what_was_found_by_any_of_their_names() -> None:
    assert evidence_found(record(passages=["k9"])) is False
    assert [evidence_found(record(found=ELSEWHERE, passages=["k9", name])) for name in ("k1", "i1", "d1")] == [True] * 3


def test_whether_it_was_used_is_unknown_without_a_gold_answer() -> None:
    assert evidence_used(record(answers=[], passages=["k1"])) is None


def test_measuring_keeps_the_places_of_what_a_step_applies_to() -> None:
    records = [refusal(**ABSENT), record(), record("Lyon.")]
    found = measure(STEPS["used, where found"], records)
    assert (found.places, found.values) == ((1, 2), (True, False))
