from __future__ import annotations

import numpy as np
import pytest

from retrievers.training.pairs import Labelled, hold_out, near_duplicates, without_near_duplicates
from tests.fakes import WordEncoder

LABELLED = Labelled(("one", "two", "three"), ({"a": 1.0}, {"b": 2.0, "c": 1.0}, {"c": 1.0}))


def test_questions_equal_but_for_case_and_spaces_are_one_with_the_higher_grade() -> None:
    labelled = Labelled.of([("Who  is it?", {"a": 1, "b": 2}), ("other", {"c": 1}), ("who is IT?", {"a": 3, "d": 1})])
    assert labelled.questions == ("Who  is it?", "other")
    assert labelled.relevant == ({"a": 3.0, "b": 2.0, "d": 1.0}, {"c": 1.0})


def test_grades_of_0_and_questions_without_an_answer_are_left_out() -> None:
    assert Labelled.of([("q", {"a": 0, "b": -1}), ("r", {"a": 0, "b": 0.5})]) == Labelled(("r",), ({"b": 0.5},))


def test_questions_and_relevant_passages_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="1 questions"):
        Labelled(("q",), ())


def test_taking_by_positions_and_by_mask() -> None:
    assert LABELLED.take([2, 0]).questions == ("three", "one")
    assert LABELLED.take(np.array([False, True, False])) == Labelled(("two",), ({"b": 2.0, "c": 1.0},))
    assert LABELLED.take([]) == Labelled()


def test_rows_keep_grades_and_refuse_unknown_passages() -> None:
    assert LABELLED.rows({"a": 5, "b": 0, "c": 9}) == ({5: 1.0}, {0: 2.0, 9: 1.0}, {9: 1.0})
    with pytest.raises(KeyError):
        LABELLED.rows({"a": 5})


def test_the_digest_depends_on_questions_grades_and_nothing_else() -> None:
    same = Labelled(LABELLED.questions, ({"a": 1.0}, {"c": 1.0, "b": 2.0}, {"c": 1.0}))
    other = Labelled(LABELLED.questions, ({"a": 1.0}, {"c": 2.0, "b": 2.0}, {"c": 1.0}))
    assert same.digest == LABELLED.digest != other.digest


@pytest.mark.parametrize(("count", "held"), [(1000, 200), (100, 50), (60, 30), (3, 1), (0, 0)])
def test_a_fifth_is_held_out_at_least_fifty_at_most_half(count: int, held: int) -> None:
    mask = hold_out(count, seed=3)
    assert (mask.size, mask.sum()) == (count, held)
    assert np.array_equal(mask, hold_out(count, seed=3))


def test_another_seed_holds_out_others() -> None:
    assert not np.array_equal(hold_out(100, seed=0), hold_out(100, seed=1))


def test_near_duplicates_are_those_above_the_threshold() -> None:
    vectors = np.array([[1, 0], [0, 1], [0.8, 0.6]], dtype=np.float32)
    others = np.array([[1, 0]], dtype=np.float32)
    assert near_duplicates(vectors, others, 0.7).tolist() == [True, False, True]
    assert near_duplicates(vectors, others, 0.9).tolist() == [True, False, False]
    assert near_duplicates(vectors, others[:0]).tolist() == [False] * 3


def test_training_questions_that_repeat_a_test_question_are_left_out() -> None:
    train = Labelled(("When do apple trees blossom?", "Why do engines need oil?"), ({"a": 1.0}, {"b": 1.0}))
    kept = without_near_duplicates(train, ["when do apple trees blossom"], WordEncoder())
    assert kept.questions == ("Why do engines need oil?",)
    assert without_near_duplicates(train, [], WordEncoder()) is train
