from __future__ import annotations

from dataclasses import replace

import pytest

from generators.conflicts.candidates import settled, worth_asking
from generators.conflicts.thresholds import DEFAULT, ConflictThresholds
from tests.generators.conflicts.speaker import found

QUESTION = "How many days of leave do employees of Acme get?"
OLD = found(1, "Employees of Acme get 25 days of leave.", "Acme handbook", date="2019-01-01")
NEW = found(2, "Acme gives its employees 30 days of leave a year.", "Acme policy", date="2023-01-01")
ALSO = found(3, "At Acme, leave is 30 days for all employees.", "Acme intranet")
NOISE = found(4, "Employees of Acme get lunch at noon, all 7 days.", "Acme canteen")


def test_words_settle_it_where_the_nearest_sentences_have_the_same_numbers() -> None:
    assert settled(QUESTION, [NEW, ALSO])
    assert not settled(QUESTION, [OLD, NEW])
    idle = found(9, "Lunch is at noon.")
    assert not settled(QUESTION, [idle, idle])


@pytest.mark.parametrize(
    ("question", "one", "other", "agree"),
    [
        ("When was the mill built?", "The mill was built on 5 March 1902.", "The mill was built on 5 May 1902.", False),
        ("When was the mill built?", "The mill was built on 5 March 1902.", "The mill was built on 3/5/1902.", True),
        ("How much did the mill cost?", "The mill cost 3 million dollars.", "The mill cost 3 billion dollars.", False),
        ("How much did the mill cost?", "The mill cost $3 million.", "The mill cost 3 million dollars.", True),
        ("How long is the warranty?", "The warranty is 2 years.", "The warranty is 2 months.", False),
        ("How long is the warranty?", "The warranty is 2 years.", "The warranty is 24 months.", True),
        ("How long is the warranty?", "The warranty is 2 years.", "The warranty is 2 years, or 9 months.", False),
    ],
)
def test_the_same_digits_settle_it_only_with_the_same_months_scales_and_units(
    question: str, one: str, other: str, agree: bool
) -> None:
    for pair in ((one, other), (other, one)):
        assert settled(question, [found(n, text, "Acme") for n, text in enumerate(pair)]) is agree


def test_a_vague_date_beside_two_that_differ_settles_nothing() -> None:
    days = ("on 5 March 1902", "in 1902", "on 5 May 1902")
    passages = [found(n, f"The mill was built {day}.", "Acme") for n, day in enumerate(days)]
    assert settled("When was the mill built?", passages[:2])
    assert not settled("When was the mill built?", passages)


def test_equal_texts_are_asked_once_and_a_threshold_of_0_keeps_all() -> None:
    assert worth_asking(QUESTION, [OLD, replace(OLD, number=7)], DEFAULT) == [OLD]
    everything = ConflictThresholds(relevance=0.0, relative=0.0, subject=0.0)
    poor = replace(NEW, probability=0.0)
    assert worth_asking(QUESTION, [OLD, poor], everything) == [OLD, poor]
    assert worth_asking(QUESTION, [], DEFAULT) == []


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("Which number does date.isoweekday of Acme give for Sunday?", "date.weekday of Acme gives 6 for Sunday."),
        ("How many cars did Acme sell on Sunday in 2019?", "In 2018 Acme sold 6 cars on Sunday."),
    ],
)
def test_another_identifier_or_year_is_another_subject(question: str, other: str) -> None:
    one = found(1, "In 2019 Acme sold 7 cars on Sunday; date.isoweekday gives 7.", "Acme")
    assert worth_asking(question, [one, found(2, other, "Acme")], DEFAULT) == [one]


def test_a_passage_headed_by_another_subject_is_not_asked_beside_one_headed_by_the_right_one() -> None:
    question = "What is the highest point of Tanzania?"
    right = found(1, "Highest point: Kilimanjaro 5,895 m", "Tanzania › Geography")
    other = found(2, "Highest point: Mount Stanley 5,110 m; it borders Tanzania.", "Uganda › Geography")
    atlas = found(3, "The highest point of Tanzania is Mount Meru, 4,562 m.")
    assert worth_asking(question, [right, other], DEFAULT) == [right]
    assert worth_asking(question, [right, other, atlas], DEFAULT) == [right, atlas]
    assert worth_asking(question, [other], DEFAULT) == [other]
