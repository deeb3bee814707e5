from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.citations.support import joint_degree, support
from generators.numbers import numbers
from indexes.passage import Document, Passage


def passage(text: str, title: str = "") -> Passage:
    return Passage.of(Document(text, title=title), 0, len(text))


FACT = passage("Namibia gained independence on 21 March 1990.\nIts capital is Windhoek.", "Namibia")


@pytest.mark.parametrize(
    ("claim", "least", "most"),
    [
        ("Namibia became independent in 1990.", 0.5, 1.0),
        ("Namibia gained independence in 1991.", 0.0, 0.0),
        ("The capital of Namibia is Windhoek.", 0.9, 1.0),
        ("The capital of Namibia is Lusaka.", 0.0, 0.4),
        ("...", 0.0, 0.0),
    ],
)
def test_the_degree_of_support(claim: str, least: float, most: float) -> None:
    degree = support(claim, "What about Namibia?", FACT).degree
    assert least <= degree <= most


def test_repeating_the_question_does_not_support_its_answer() -> None:
    question = "What is the capital of Namibia?"
    assert support("The capital of Namibia is Lusaka.", question, FACT).degree < 0.5


def test_a_number_of_the_question_may_be_repeated() -> None:
    assert support("In 2024 the capital was Windhoek.", "What was the capital in 2024?", FACT).degree > 0.5


def test_the_span_is_the_sentence_that_says_it() -> None:
    found = support("The capital is Windhoek.", "What is the capital?", FACT)
    assert FACT.text[found.start : found.end] == "Its capital is Windhoek."


def test_a_line_with_another_label_does_not_support_what_its_neighbour_would() -> None:
    mexico = passage("Lowest point: Laguna Salada -10 m\n\nHighest point: Pico de Orizaba 5,636 m", "Mexico")
    question = "What is the highest point of Mexico?"
    assert support("Laguna Salada is the highest point of Mexico.", question, mexico).degree == 0
    assert support("Pico de Orizaba is the highest point of Mexico.", question, mexico).degree == 1


def test_a_sentence_that_says_the_opposite_does_not_support() -> None:
    lowest = passage("Lowest point: Laguna Salada -10 m", "Mexico")
    assert support("Laguna Salada is the highest point of Mexico.", "What is the highest point?", lowest).degree == 0
    assert support("Laguna Salada is the lowest point of Mexico.", "What is the lowest point?", lowest).degree == 1


def test_words_that_share_a_stem_only_are_not_taken_for_a_label() -> None:
    trade = passage("Exports: refined copper, gold\n\nImports: machinery, fuel", "Zambia")
    claim = "Zambia's most important export is refined copper."
    assert support(claim, "Which metal is Zambia's most important export?", trade).degree > 0.5


@given(st.text(max_size=80), st.text(max_size=80), st.text(min_size=1, max_size=200))
def test_the_degree_is_a_share_and_the_span_lies_within(claim: str, question: str, text: str) -> None:
    found = support(claim, question, passage(text))
    assert 0 <= found.degree <= 1
    assert 0 <= found.start <= found.end <= len(text)


def test_numbers_are_compared_as_numbers() -> None:
    assert numbers("1,200.50 and 7 of COVID-19, v3.11") >= {"1200.5", "7"}
    assert numbers("about 2,500,000 people") == {"2500000"}
    assert numbers("none") == frozenset()


def test_two_passages_together_support_what_neither_does_alone() -> None:
    author = passage("She was born in Trieste and died in Graz.", "Ada Quill")
    novel = passage("The Red Lantern is a novel by Ada Quill.", "The Red Lantern")
    claim, question = "Ada Quill, author of The Red Lantern, was born in Trieste.", "Where was she born?"
    alone = [joint_degree(claim, question, [each]) for each in (author, novel)]
    assert max(alone) < 0.5 < joint_degree(claim, question, [author, novel])


@pytest.mark.parametrize("claim", ["Yes.", "No.", "The answer is yes."])
def test_a_bare_yes_or_no_rests_on_what_the_question_says(claim: str) -> None:
    assert joint_degree(claim, "Is Windhoek the capital of Namibia?", [FACT]) == 1.0
    assert joint_degree(claim, "Do quokkas juggle?", [FACT]) == 0.0


def test_no_passages_support_nothing() -> None:
    assert joint_degree("The capital is Windhoek.", "What is the capital?", []) == 0.0


@pytest.mark.parametrize(
    ("claim", "text", "supported"),
    [
        ("It costs $2023-01-15.", "date: 2023-01-15. What it costs is not said.", False),
        ("It costs $20.", "It costs 20 dollars.", True),
        ("It costs €20.", "It costs 20 dollars.", False),
        ("The tank holds 42 kilometres.", "The tank holds 42 litres.", False),
        ("The tank holds 42 l.", "The tank holds 42 litres.", True),
        ("It has 3 nations.", "It has 3 countries, all nations.", True),
    ],
)
def test_a_number_is_supported_in_its_own_unit_only(claim: str, text: str, supported: bool) -> None:
    assert (joint_degree(claim, "What of it?", [passage(text)]) > 0) is supported
