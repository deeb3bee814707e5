from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.answers import contains, exact_match, normalise, token_f1
from indexes.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Eiffel Tower!", "eiffel tower"),
        ("U.S. $5,000", "us 5000"),
        ("a well-known man", "wellknown man"),
        ("theatre", "theatre"),
        ("«Été» — 1990–1995…", "été 19901995"),
        ("STRASSE", normalise("Straße")),
        (unicodedata.normalize("NFD", "Éluard"), "éluard"),
        ("１２３", "123"),
        ("The A", "the a"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_normalisation(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_exact_match_takes_any_gold_answer() -> None:
    assert exact_match("The Beatles.", ["Wings", "beatles"]) == 1.0
    assert exact_match("Beatles band", ["Wings", "beatles"]) == 0.0


def test_contains_wants_whole_words() -> None:
    assert contains("It has 23 episodes.", ["23"]) == 1.0
    assert contains("It was in 1923.", ["23"]) == 0.0
    assert contains("by Timothy B. Schmit, of course", ["Timothy B Schmit"]) == 1.0


def test_contains_finds_answers_in_scripts_without_spaces() -> None:
    assert contains("首都是北京。", ["北京"]) == 1.0
    assert contains("首都是东京。", ["北京"]) == 0.0


def test_an_empty_gold_answer_is_not_contained_in_everything() -> None:
    assert contains("anything", ["?"]) == 0.0
    assert contains("", ["?"]) == 1.0


def test_f1_of_a_case_worked_by_hand() -> None:
    # 2 words shared; precision 2/4, recall 2/3
    assert token_f1("Barack Obama was president", ["Barack Hussein Obama"]) == pytest.approx(4 / 7)


def test_f1_counts_repeated_words_as_often_as_both_have_them() -> None:
    assert token_f1("new new new", ["new york"]) == pytest.approx(2 / 5)


def test_f1_takes_the_best_gold_answer_and_is_zero_without_common_words() -> None:
    assert token_f1("red", ["blue", "red"]) == 1.0
    assert token_f1("red", ["blue"]) == 0.0
    assert token_f1("", ["blue"]) == 0.0


@given(st.text(max_size=30), st.lists(st.text(max_size=30), min_size=1, max_size=3))
def test_an_exact_match_is_contained_and_has_full_f1(answer: str, gold: list[str]) -> None:
    assert 0.0 <= token_f1(answer, gold) <= 1.0
    if exact_match(answer, gold):
        assert contains(answer, gold) == 1.0
        assert token_f1(answer, gold) == 1.0


@given(st.text(max_size=30))
def test_every_answer_matches_itself(answer: str) -> None:
    assert exact_match(answer, [answer]) == 1.0


def test_no_gold_answer_and_a_string_in_place_of_a_list_are_refused() -> None:
    with pytest.raises(InputError, match="no gold answer"):
        exact_match("x", [])
    with pytest.raises(TypeError, match="list of strings"):
        exact_match("x", "x")
