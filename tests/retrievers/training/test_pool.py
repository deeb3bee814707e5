from __future__ import annotations

import numpy as np

from indexes.encoders.base import unit
from retrievers.training.measure import top
from retrievers.training.pool import HARD, narrowed, pool

GENERATOR = np.random.default_rng(0)
PASSAGES = unit(GENERATOR.standard_normal((300, 8)))
QUESTIONS = unit(GENERATOR.standard_normal((4, 8)))
RELEVANT = [{7: 1.0}, {8: 2.0, 299: 1.0}, {0: 1.0}, {7: 1.0}]


def test_a_small_slice_is_looked_at_whole() -> None:
    assert pool(QUESTIONS, PASSAGES, RELEVANT).tolist() == list(range(300))


def test_of_a_large_slice_the_relevant_and_the_hardest_are_looked_at_and_a_sample() -> None:
    rows = pool(QUESTIONS, PASSAGES, RELEVANT, most=150)
    assert len(rows) == 150
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert {0, 7, 8, 299} <= set(rows)
    assert set(top(QUESTIONS, PASSAGES, HARD).ravel()) <= set(rows)
    assert np.array_equal(rows, pool(QUESTIONS, PASSAGES, RELEVANT, most=150))
    assert not np.array_equal(rows, pool(QUESTIONS, PASSAGES, RELEVANT, seed=1, most=150))


def test_where_room_is_short_the_best_of_every_question_comes_before_the_second_best() -> None:
    wanted = {0, 7, 8, 299} | set(top(QUESTIONS, PASSAGES, 1).ravel())
    assert set(pool(QUESTIONS, PASSAGES, RELEVANT, most=len(wanted))) == wanted


def test_all_relevant_passages_are_kept_even_where_they_are_too_many() -> None:
    assert pool(QUESTIONS, PASSAGES, RELEVANT, most=2).tolist() == [0, 7, 8, 299]


def test_relevant_rows_become_positions_in_the_pool() -> None:
    assert narrowed(RELEVANT, np.array([0, 7, 8, 299])) == [{1: 1.0}, {2: 2.0, 3: 1.0}, {0: 1.0}, {1: 1.0}]
