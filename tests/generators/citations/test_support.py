from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.citations.support import joint_degree, support
from generators.numbers import held_numbers, numbers, said_numbers
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9:00", "09:00"),
        ("1,200", "1\u202f200"),
        ("1200", "1\u00a0200"),
        ("1,200", "1\u2009200"),
        ("0.5", ".5"),
        ("0", "00"),
    ],
)
def test_one_number_in_two_ways_of_writing_is_one(one: str, other: str) -> None:
    assert numbers(one) == numbers(other)


def test_numbers_in_words_are_numbers_but_for_the_pronoun() -> None:
    assert said_numbers("twelve, twenty-five, two hundred and fifty, one day") == {"12", "25", "250", "1"}
    assert said_numbers("One of them, no one, someone often listened") == frozenset()
    assert held_numbers("one of the three") == {"1", "3"}


@pytest.mark.parametrize(
    ("claim", "text", "supported"),
    [
        ("The office opens at 9:00.", "The office opens at 09:00.", True),
        ("The office opens at 9:30.", "The office opens at 09:00.", False),
        ("The board has 12 members.", "The board has twelve elected members.", True),
        ("The board has twelve members.", "The board has 12 members.", True),
        ("The board has twelve members.", "The board has ten members.", False),
        ("The board has one member.", "The board has 1 member.", True),
        ("The board has 1 member.", "The board has one member.", True),
        ("One of its members is Ann Lee.", "Its members are Ann Lee and Bob Ray.", True),
        ("It has 1,200 people.", "It has 1\u202f200 people.", True),
        ("The rate is 0.5 percent.", "The rate is .5 percent.", True),
        ("The fine was £5 million.", "The fine was 5 million pounds.", True),
        ("The fine was 5 million pounds.", "The fine was £5 million.", True),
        ("The fine was £6 million.", "The fine was 5 million pounds.", False),
        ("The revenue was $3.5 billion.", "The revenue was $3.5B.", True),
        ("The revenue was $3.5B.", "The revenue was $3.5 billion.", True),
        ("The revenue was $3.5 billion.", "The revenue was $3.5M.", False),
        ("The city has 5.4 million people.", "The city has 5.4M people.", True),
        ("The fee is up to 10%.", "The fee is 5%-10%.", True),
        ("The result was $5 million.", "The result was -$5 million.", False),
    ],
)
def test_a_number_is_supported_in_any_way_of_writing_it(claim: str, text: str, supported: bool) -> None:
    assert (support(claim, "What is known?", passage(text)).degree >= 0.5) is supported


@pytest.mark.parametrize(
    ("claim", "supported"),
    [
        ("Dogs are not allowed in the office.", False),
        ("No, dogs are not allowed in the office.", False),
        ("No.", False),
        ("It is not allowed.", False),
        ("Dogs are allowed in the office.", True),
        ("Yes, dogs are allowed in the office.", True),
        ("Yes.", True),
    ],
)
def test_a_sentence_that_affirms_does_not_support_what_denies_it(claim: str, supported: bool) -> None:
    office = passage("Dogs are allowed in the office. Cats are not.")
    assert (support(claim, "Are dogs allowed in the office?", office).degree >= 0.5) is supported


@pytest.mark.parametrize(
    ("claim", "supported"), [("Dogs are allowed in the office.", False), ("Yes.", False), ("No.", True)]
)
def test_a_sentence_that_denies_does_not_support_what_it_denies(claim: str, supported: bool) -> None:
    office = passage("Dogs are not allowed in the office.")
    assert (support(claim, "Are dogs allowed in the office?", office).degree >= 0.5) is supported


@pytest.mark.parametrize("claim", ["Dogs and cats.", "Dogs and cats are not allowed.", "Dogs."])
def test_the_nots_of_the_question_are_not_the_claims(claim: str) -> None:
    office = passage("Dogs and cats are not allowed in the office.")
    assert support(claim, "Which pets are not allowed in the office?", office).degree >= 0.5


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
