from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrievers.parts import parts


@pytest.mark.parametrize(
    "expected",
    [
        ["Who spoke about Panama in 1990", "what is the currency of Panama?"],
        ["When did the war begin", "how many people live in Peru now?"],
        ["What is a diesel engine", "in which year was Saturn found?"],
    ],
)
def test_two_questions_in_one_are_two(expected: list[str]) -> None:
    first, second = expected
    for joint in (" and ", ", and ", ", but ", "? ", "; ", "? And "):
        assert [part.rstrip("?") for part in parts(first + joint + second)] == [part.rstrip("?") for part in expected]


@pytest.mark.parametrize(
    "question",
    [
        "What are the capital and the currency of Peru?",
        "Tell me about apples and pears",
        "The year in which he was born, and what he wrote",
        "Who was he and what?",
        "Who wrote the law and why it failed?",
        "What is the capital of Peru, and how many people live there now?",
        "Who was Ada, and what did she write?",
        "What is a diesel engine, and who built the first one?",
        "Why?",
        "",
    ],
)
def test_one_question_stays_whole(question: str) -> None:
    assert parts(question) == [question]


@given(
    st.lists(st.sampled_from(["what", "who", "is", "and", ",", "?", "Peru", "but", ";", "in", "which"]), max_size=14)
)
@settings(max_examples=50, deadline=None)
def test_parts_are_pieces_of_the_question_in_order(words: list[str]) -> None:
    question, position = " ".join(words), 0
    for part in parts(question):
        position = question.index(part, position) + len(part)
    assert position <= len(question)


@pytest.mark.parametrize("filler", [" ", ", ", "and ", "? ", "in "])
def test_a_long_question_takes_little_time(filler: str) -> None:
    started = time.process_time()
    parts(("what is " + filler * 4000)[:4000])
    assert time.process_time() - started < 2
