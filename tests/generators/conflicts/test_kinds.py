from __future__ import annotations

import pytest

from generators.conflicts.kinds import fits


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("When was it built?", "about 1835", "Nebraska"),
        ("What year was Judge Sparks born?", "1939", "Ohio"),
        ("What is the population of Manvel?", "3,046", "11.9%"),
        ("How many doors has it?", "five doors", "red"),
        ("How much does it cost?", "$5", "plenty"),
        ("How long may I stay?", "30 days", "as you like"),
        ("Who wrote it?", "Ann Lee", "a novel"),
    ],
)
def test_an_answer_is_of_the_sort_that_the_question_wants(question: str, yes: str, no: str) -> None:
    assert fits(yes, question)
    assert not fits(no, question)


def test_other_questions_take_any_answer() -> None:
    assert fits("novel", "What is the genre of it?")
    assert fits("on Mondays", "When is the office closed?")
