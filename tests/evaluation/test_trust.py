from __future__ import annotations

from typing import Any

import pytest

from evaluation.trust import over_trust, under_trust
from tests.evaluation.stored_answers import record, refusal, unasked

WRONG = {"found": ("Lyon is the capital.",), "memory": "It is Paris."}
RIGHT: dict[str, Any] = {"memory": "It is Lyon."}


@pytest.mark.parametrize(
    ("said", "says_memory", "error"),
    [
        ("It is Lyon.", True, True),
        ("It is Paris.", False, False),
        ("Paris, not Lyon.", True, False),
        ("Nice", False, False),
    ],
)
def test_keeping_to_memory_against_a_right_context_is_under_trust(said: str, says_memory: bool, error: bool) -> None:
    judged = record(said, **RIGHT, says_memory=says_memory)
    assert under_trust(judged) is error
    assert over_trust(judged) is None


@pytest.mark.parametrize(("said", "error"), [("It is Lyon.", True), ("It is Paris.", False), ("It is Nice.", True)])
def test_leaving_a_right_memory_for_a_context_without_the_answer_is_over_trust(said: str, error: bool) -> None:
    assert over_trust(record(said, **WRONG)) is error
    assert under_trust(record(said, **WRONG)) is None


def test_a_refusal_is_neither() -> None:
    assert under_trust(refusal(**RIGHT, says_memory=False)) is False
    assert over_trust(refusal(**WRONG)) is False


def test_what_an_answer_says_of_its_own_memory_is_not_believed() -> None:
    kept = record("It is Nantes.")
    assert kept.answer is not None and kept.answer["memory"] == "It is Nantes."
    assert (under_trust(kept), over_trust(record("It is Nantes.", found=("Rome.",)))) == (None, None)


def test_nothing_is_judged_where_memory_and_context_agree_or_one_is_unknown() -> None:
    agreeing = [record(memory="It is Paris."), record(found=("Rome.",), memory="Lyon"), record(), unasked()]
    agreeing += [record(found=(), memory="Paris"), record(decision="skip", **WRONG)]
    agreeing += [record(answerable=False, answers=[], **WRONG)]
    assert [(under_trust(each), over_trust(each)) for each in agreeing] == [(None, None)] * len(agreeing)
