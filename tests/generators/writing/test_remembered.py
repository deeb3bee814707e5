from __future__ import annotations

import math

import pytest

from generators.writing.remembered import differs

QUESTION = "When was the bridge opened?"


@pytest.mark.parametrize(
    ("answer", "memory"),
    [
        ("The bridge was opened in 1932.", "It opened in 1932."),
        ("The bridge was opened in 1932.", "The bridge was opened on 19 March 1932."),
    ],
)
def test_the_same_in_other_words_does_not_differ(answer: str, memory: str) -> None:
    assert differs(QUESTION, answer, memory) == 0.0


@pytest.mark.parametrize(
    ("answer", "memory"),
    [
        ("The bridge was opened in 1932.", "The bridge was opened in 1923."),
        ("The bridge was opened by the queen.", "The bridge was opened by a mayor."),
    ],
)
def test_another_answer_differs(answer: str, memory: str) -> None:
    assert differs(QUESTION, answer, memory) > 0.5


def test_what_has_more_in_common_differs_less() -> None:
    answer = "It was opened by Anna Berg and Karl Thal in Bremen."
    near = differs(QUESTION, answer, "It was opened by Anna Berg in Lübeck with pomp.")
    far = differs(QUESTION, answer, "It was opened by a committee of merchants.")
    assert 0 < near < far <= 1


@pytest.mark.parametrize(
    "memory", ["", "  ", "I don't know.", "I do not have that information.", "The date is unknown.", "I'm not sure."]
)
def test_memory_that_knows_nothing_is_not_compared(memory: str) -> None:
    assert math.isnan(differs(QUESTION, "The bridge was opened in 1932.", memory))
    assert math.isnan(differs(QUESTION, "", "It opened in 1932."))
