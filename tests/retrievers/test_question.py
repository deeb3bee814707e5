from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.errors import InputError
from retrievers.question import LONGEST, check_question


@pytest.mark.parametrize(
    "question", ["Why?", "  \n Why?\t", "What is\n2 + 2?", "Was kostet Käse?", "50 %", "What does 👋 mean?", "日本"]
)
def test_a_question_loses_only_the_space_around_it(question: str) -> None:
    assert check_question(question) == question.strip()


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("👋🎉", "no word and no number"),
        ("?!…", "no word and no number"),
        ("Why\x00?", r"control character U\+0000"),
        ("Why\x1b[31m?", r"control character U\+001B"),
        ("Why\x85so?", r"control character U\+0085"),
        ("a" * 100_000, "has 100,000 characters; at most 4,000"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_way_out(question: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        check_question(question)
    assert caught.value.fix


def test_the_longest_question_is_read() -> None:
    assert len(check_question("a" * LONGEST + "  ")) == LONGEST
    with pytest.raises(InputError, match=r"4,001 characters"):
        check_question("a" * (LONGEST + 1))


@pytest.mark.parametrize(
    ("question", "script"),
    [("Какая столица Франции?", "Cyrillic"), ("日本の首都はどこですか", "Cjk"), ("ما هي عاصمة فرنسا؟", "Arabic")],
)
def test_a_script_that_the_encoder_cannot_read_is_refused(question: str, script: str) -> None:
    with pytest.raises(InputError, match=f"in {script} script") as caught:
        check_question(question, latin_only=True)
    assert "[models] encoder" in caught.value.fix
    assert check_question(question) == question


@pytest.mark.parametrize("question", ["Où est l'École?", "What does λ mean?", "20 µm?", "Who is Łukasz 北?", "2 + 2?"])
def test_latin_text_may_hold_some_foreign_letters(question: str) -> None:
    assert check_question(question, latin_only=True) == question


@given(st.text(max_size=60), st.booleans())
@settings(max_examples=50, deadline=None)
def test_every_text_is_a_question_or_an_input_error(text: str, latin_only: bool) -> None:
    try:
        question = check_question(text, latin_only=latin_only)
    except InputError:
        return
    assert question
    assert check_question(question, latin_only=latin_only) == question
