from __future__ import annotations

import pytest

from generators.conflicts.per_passage import answers_per_passage, held, passage_answer, shortened, where
from tests.generators.conflicts.speaker import SURE, Speaker, found, log_probability

QUESTION = "What is the population of Broken Bow?"
CITY = found(1, "The city lies in Nebraska. It has 3,559 people.", "Broken Bow")


def test_each_passage_is_asked_alone_and_answers_in_order() -> None:
    model = Speaker({"Nebraska": "3,559 people", "Oklahoma": "4,228"})
    other = found(2, "A city of 4,228 in Oklahoma.", "Broken Bow", date="2020")
    silent = found(3, "It rains often.")
    given = answers_per_passage(model, QUESTION, [CITY, other, silent])
    assert [(each.number, each.text) for each in given] == [(1, "3,559 people"), (2, "4,228"), (3, "")]
    assert len(model.prompts) == 3
    assert all(sum(text in prompt for text in ("Nebraska", "Oklahoma", "rains")) == 1 for prompt in model.prompts)
    assert "Broken Bow (2020)\nA city" in model.prompts[1]


def test_an_answer_comes_with_its_probability_support_and_sentence() -> None:
    (given,) = answers_per_passage(Speaker({"Nebraska": "3,559 people"}), QUESTION, [CITY])
    assert given.log_prob == pytest.approx(log_probability(SURE), abs=1e-4)
    assert given.support == 1
    assert CITY.passage.text[given.start : given.end] == "It has 3,559 people."


def test_a_passage_that_is_too_long_for_the_window_is_left_out() -> None:
    long = found(2, "Nebraska " * 500)
    assert [each.number for each in answers_per_passage(Speaker({}), QUESTION, [long, CITY])] == [1]
    assert answers_per_passage(Speaker({}), QUESTION, [long]) == ()
    assert answers_per_passage(Speaker({}), QUESTION, []) == ()


@pytest.mark.parametrize(
    "said",
    [
        "not stated",
        "Not stated.",
        "It isn't stated.",
        "It isn’t mentioned",
        "The passage does not state it.",
        "",
        "  ",
        "unknown",
    ],
)
def test_no_answer_is_empty(said: str) -> None:
    given = passage_answer(QUESTION, CITY, said, -0.1)
    assert (given.text, given.support) == ("", 0.0)


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        ("3,559 people", 1.0),
        ("3559", 1.0),
        ("3,560 people", 0.0),
        ("Nebraska", 1.0),
        ("Ohio", 0.0),
        ("Broken Bow", 0.0),
        ("a rainy city", 0.5),
    ],
)
def test_support_is_the_share_of_words_that_the_passage_holds(answer: str, share: float) -> None:
    assert held(answer, QUESTION, CITY.passage) == share


def test_a_number_in_words_is_held_in_digits_and_the_other_way_round() -> None:
    board = found(1, "The board has twelve members and 3 guests.").passage
    question = "How many members has the board?"
    assert [held(each, question, board) for each in ("12", "twelve", "three", "ten", "10")] == [1, 1, 1, 0, 0]


def test_a_choice_may_repeat_the_question_and_yes_needs_its_words() -> None:
    passage = found(1, "Smoking is forbidden in the red building.").passage
    assert held("red", "Is the building red or blue?", passage) == 1
    assert held("blue", "Is the building red or blue?", passage) == 0
    assert held("No", "Is smoking permitted?", passage) == 0.5
    assert held("Yes", "Is smoking permitted?", passage) == 0.5
    assert held("No", "May dogs come in?", passage) < 0.5


def test_a_sentence_that_repeats_the_question_is_cut_to_its_answer() -> None:
    assert shortened("The population of Broken Bow is 3,559.", QUESTION) == "3,559"
    assert (
        shortened('Ann P. Lee is the artist of the album "I Am".', "Who is the artist of the album I Am?")
        == "Ann P. Lee"
    )
    assert shortened("A city that is large", QUESTION) == "A city that is large"


def test_the_sentence_is_the_one_that_holds_the_answer_and_is_nearest_to_the_question() -> None:
    text = "In 1990 Ohrid had 3,559 people. Today the population of Broken Bow is 3,559. It is 3,559 km away."
    start, end = where("3,559", QUESTION, text)
    assert text[start:end] == "Today the population of Broken Bow is 3,559."
