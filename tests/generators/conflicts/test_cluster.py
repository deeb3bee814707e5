from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.conflicts.cluster import agree, clusters


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Obama", "Barack Obama"),
        ("The Beatles", "beatles."),
        ("Café Müller", "cafe muller"),
        ("AFL", "Australian Football League"),
        ("U.K.", "United Kingdom"),
        ("DOD", "Department of Defense"),
        ("J. Coltrane", "John Coltrane"),
        ("1870 in Bristol", "1870"),
        ("3,559 people", "3559"),
        ("two weeks", "14 days"),
        ("basketball player", "basketball players"),
        ("not allowed", "isn't allowed"),
    ],
)
def test_answers_that_say_the_same(one: str, other: str) -> None:
    assert agree(one, other)
    assert agree(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("allowed", "not allowed"),
        ("Chilperic I", "Chilperic II"),
        ("World War I", "World War II"),
        ("1982 Lebanon War", "World War II"),
        ("Boeing 747", "Boeing 737"),
        ("Windows Server 2019 Standard", "Windows Server 2022 Standard"),
        ("AFL", "NBA"),
        ("1870 in Bristol", "1879"),
        ("Anthrax", "Joe Jackson"),
    ],
)
def test_answers_that_differ(one: str, other: str) -> None:
    assert not agree(one, other)
    assert not agree(other, one)


def test_words_of_the_question_say_nothing() -> None:
    assert agree("the Liberal Democratic Party", "the Labour Democratic Party") is False
    question = "Which political party was he a member of?"
    assert not agree("member of the Liberal Party", "member of the Labour Party", question)
    assert agree("The party was Labour", "Labour", question)


def test_versions_and_addresses_are_names() -> None:
    assert not agree("3.10.1", "3.10.2")
    assert not agree("192.168.0.1", "192.168.0.2")
    assert not agree("3.1", "3.10", "Which version of Python is needed?")
    assert not agree("version 3.1", "version 3.10")
    assert agree("3.10", "Python 3.10", "Which version of Python is needed?")


def test_a_vague_answer_joins_one_side_and_does_not_join_two() -> None:
    assert clusters(["2001", "5 March 2001", "7 March 2001"]) == [[0, 1], [2]]


def test_the_largest_side_is_first_and_ties_go_by_position() -> None:
    assert clusters(["Rome", "Oslo", "Oslo", "Bern"]) == [[1, 2], [0], [3]]
    assert clusters([]) == []


def test_an_encoder_joins_other_words_but_not_other_numbers() -> None:
    def encode(texts: Sequence[str]) -> np.ndarray:
        return np.ones((len(texts), 1), dtype=np.float32)

    assert clusters(["the physician", "a doctor"]) == [[0], [1]]
    assert clusters(["the physician", "a doctor"], encode=encode) == [[0, 1]]
    assert clusters(["5 litres", "6 litres"], encode=encode) == [[0], [1]]
    assert clusters(["permitted", "not permitted"], encode=encode) == [[0], [1]]


@given(
    st.lists(st.sampled_from(["Rome", "rome", "5 March 2001", "2001", "1999", "Ann Lee", "Lee", "not Lee"]), max_size=8)
)
def test_every_answer_is_on_one_side_and_the_sides_repeat(answers: list[str]) -> None:
    groups = clusters(answers)
    assert sorted(i for group in groups for i in group) == list(range(len(answers)))
    assert all(agree(answers[i], answers[j]) for group in groups for i in group for j in group)
    assert groups == clusters(answers)


def test_the_order_of_the_answers_does_not_change_the_sides() -> None:
    answers = ["Rome", "Oslo", "OSLO", "Bern", "the city of Rome", "Bern"]
    sides = {frozenset(frozenset(answers[i] for i in group) for group in clusters(answers))}
    for seed in range(10):
        random.Random(seed).shuffle(answers)
        sides.add(frozenset(frozenset(answers[i] for i in group) for group in clusters(answers)))
    assert len(sides) == 1
