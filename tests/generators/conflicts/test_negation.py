from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.conflicts.negation import affirms, negates, opposes
from indexes.terms import terms

GARDEN = "Dogs are allowed in the garden but not in the office."
WARRANTY = "The warranty lasts two years and does not cover water damage."


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("Dogs are not allowed in the office.", "Dogs are allowed in the office."),
        ("Dogs are allowed in the office.", "Dogs, like cats, aren’t allowed in the office."),
        ("Dogs are allowed in the office.", "No dogs are allowed in the office."),
        ("Cats are allowed in the office.", "Neither dogs nor cats are allowed in the office."),
        ("Cats are allowed.", "Dogs are allowed, cats are not."),
        ("Dogs are allowed in the office.", GARDEN),
        ("Dogs are not allowed in the garden.", GARDEN),
        ("Dogs are allowed in the office but not in the garden.", GARDEN),
        ("The warranty covers water damage.", WARRANTY),
        ("The warranty does not last two years.", WARRANTY),
        ("The car comes with a spare wheel.", "The car comes without a spare wheel."),
        ("The feature is available.", "The feature is no longer available."),
        ("The sources state that dogs are not allowed.", "Dogs are allowed."),
        ("Frogs feel disgust.", "There is no evidence that frogs feel disgust."),
    ],
)
def test_one_that_denies_what_the_other_affirms_is_its_opposite(claim: str, text: str) -> None:
    assert opposes(claim, text)


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("The warranty lasts two years.", WARRANTY),
        ("The warranty does not cover water damage.", WARRANTY),
        ("The warranty lasts two years.", "The warranty, which does not cover water damage, lasts two years."),
        ("Dogs are allowed in the garden.", GARDEN),
        ("Dogs are not allowed in the office.", GARDEN),
        ("Dogs are allowed in the garden.", "Dogs are not allowed in the office but in the garden."),
        ("Dogs are welcome.", "Dogs are welcome and cats are not allowed."),
        ("It covers water damage.", "It covers not only fire but also water damage."),
        ("The report is due by 5 May.", "The report is due no later than 5 May."),
        ("The report is due no later than 5 May.", "The report is due by 5 May."),
        ("Members enter the hall.", "Members enter the hall without a ticket."),
        ("You can enter with a ticket.", "You cannot enter without a ticket."),
        ("The office opens at 9.", "The office does not open until 9."),
        ("Employees may not smoke.", "Employees are forbidden to smoke."),
        ("The service is without charge.", "The service is free of charge."),
        ("Ann is not older than Bob.", "Bob is older than Ann."),
        ("Coding does not rely on algebra.", "Coding does not heavily rely on algebra."),
        ("No, Windhoek is the capital.", "Windhoek is the capital."),
        ("Bring form No. 5.", "Bring form 5."),
        ("The default is None.", "None is the default."),
    ],
)
def test_a_not_about_something_else_is_no_opposite(claim: str, text: str) -> None:
    assert not opposes(claim, text)


def test_the_heading_and_the_question_say_what_a_short_sentence_is_about() -> None:
    assert opposes("Dogs are allowed in the office.", "They are not allowed.", heading="Dogs in the office")
    asked = {"yard": "Smoking is allowed in the yard.", "canteen": "Dogs are allowed in the canteen."}
    question = terms("Is smoking allowed in the yard?")
    assert opposes("It is not allowed.", asked["yard"], asked=question)
    assert not opposes("It is not allowed.", asked["canteen"], asked=question)


def test_a_statement_is_affirmed_by_a_clause_with_all_its_words() -> None:
    assert affirms("Is the office open on Sunday?", "The office is open on Sunday.")
    assert not affirms("Is the office open on Sunday?", "The office is open on Monday.")
    assert not affirms("Is the office open on Sunday?", "The office is not open on Sunday.")
    assert not affirms("Is Ann older than Bob?", "Bob is older than Ann.")


def test_negation_is_told_by_its_words() -> None:
    assert negates("It isn't allowed.")
    assert negates("None of them.")
    assert not negates("It is noted.")


@given(st.text(alphabet="aeimnot ',.;-", max_size=60))
def test_no_text_is_its_own_opposite(text: str) -> None:
    assert not opposes(text, text)


@given(
    st.lists(
        st.sampled_from(
            [
                "dogs",
                "cats",
                "are",
                "is",
                "not",
                "no",
                "never",
                "without",
                "allowed",
                "office",
                "and",
                ",",
                "but",
                ";",
                "nor",
            ]
        ),
        max_size=12,
    )
)
def test_no_sentence_of_such_words_is_its_own_opposite(words: list[str]) -> None:
    assert not opposes(" ".join(words), " ".join(words))
