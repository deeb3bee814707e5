from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.encoders.base import unit
from retrievers.training.nudge import DISTANCES, nudge, pulls


def test_pulls_are_sums_by_grade_of_the_questions_that_ask_for_a_passage() -> None:
    questions = np.array([[1, 0], [0, 1]], dtype=np.float32)
    rows, pull = pulls(questions, [{4: 1.0, 2: 2.0}, {4: 3.0}], passages=6)
    assert rows.tolist() == [2, 4]
    assert pull.tolist() == [[2, 0], [1, 3]]


@given(st.integers(0, 1000), st.sampled_from(DISTANCES))
def test_passages_stay_on_the_sphere_and_in_reach_and_no_other_place_there_is_better(
    seed: int, distance: float
) -> None:
    generator = np.random.default_rng(seed)
    passages, pull = unit(generator.standard_normal((4, 5))), generator.standard_normal((4, 5)).astype(np.float32)
    moves = nudge(passages, pull, distance)
    moved = passages + moves
    assert np.linalg.norm(moved, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert np.linalg.norm(moves, axis=1).max() <= distance + 1e-5
    directions = generator.standard_normal((200, 4, 5))
    others = unit(passages + distance * directions / np.linalg.norm(directions, axis=2, keepdims=True))
    reachable = np.linalg.norm(others - passages, axis=2) <= distance
    values = np.where(reachable, np.einsum("snd,nd->sn", others, pull), -np.inf)
    assert (np.einsum("nd,nd->n", moved, pull) >= values.max(axis=0) - 1e-4).all()


def test_a_pull_within_reach_is_reached() -> None:
    passage = np.array([[1, 0]], dtype=np.float32)
    target = unit(np.array([[1, 0.1]]))
    assert passage + nudge(passage, 5 * target, 0.5) == pytest.approx(target)


def test_opposite_and_equal_pulls_move_nothing() -> None:
    passage = np.array([[1, 0]], dtype=np.float32)
    assert not nudge(passage, -passage, 0.3).any()
    assert nudge(passage, passage, 0.3) == pytest.approx(np.zeros((1, 2)), abs=1e-6)
