from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.store.base import Candidates
from retrievers.calibration import SMALLEST_SPREAD, Background, Relevance, background_questions, sigmoid

FOUND = Candidates(
    ("a", "b", "c"), np.array([0.1, 0.5, 0.3], np.float32), np.array([0.0, 2.0, 1.0], np.float32), attainable=4.0
)


def test_the_background_estimates_a_normal_distribution_despite_outliers() -> None:
    scores = np.random.default_rng(0).normal(0.3, 0.05, 5000)
    background = Background.of(scores)
    assert background.centre == pytest.approx(0.3, abs=0.005)
    assert background.spread == pytest.approx(0.05, rel=0.05)
    soiled = Background.of(np.concatenate([scores, np.full(250, 100.0)]))
    assert soiled.centre == pytest.approx(background.centre, abs=0.01)
    assert soiled.spread == pytest.approx(background.spread, rel=0.15)


def test_equal_scores_have_a_small_spread_and_not_none() -> None:
    background = Background.of(np.full(10, 0.4))
    assert background == Background(0.4, SMALLEST_SPREAD)
    assert np.isfinite(background.z(np.array([-1.0, 0.4, 1.0]))).all()


@given(st.floats(0.1, 10), st.floats(-5, 5))
@settings(max_examples=30, deadline=None)
def test_z_is_the_same_in_every_space_that_is_shifted_and_scaled(scale: float, shift: float) -> None:
    scores = np.random.default_rng(1).normal(0, 1, 100)
    plain, moved = Background.of(scores), Background.of(scores * scale + shift)
    np.testing.assert_allclose(moved.z(scores * scale + shift), plain.z(scores), atol=1e-4)


def test_the_logit_is_linear_in_z_and_the_lexical_score() -> None:
    relevance, background = Relevance(bias=-4, dense=0.9, lexical=3), Background(0.2, 0.1)
    expected = [-4 + 0.9 * -1, -4 + 0.9 * 3 + 3 * 1, -4 + 0.9 * 1 + 3 * 0.5]
    np.testing.assert_allclose(relevance.logit(FOUND, background), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("relevance", "expected"),
    [
        (Relevance(0, 0, 0), [0, 0, 0]),
        (Relevance(-1, 0, 0), [-1, -1, -1]),
        (Relevance(0, 1, 0), [-1, 3, 1]),
        (Relevance(0, 0, 4), [0, 4, 2]),
    ],
)
def test_a_weight_of_zero_is_a_weight(relevance: Relevance, expected: list[float]) -> None:
    np.testing.assert_allclose(relevance.logit(FOUND, Background(0.2, 0.1)), expected, atol=1e-5)


def test_no_candidates_have_no_logits() -> None:
    nothing = Candidates((), np.zeros(0, np.float32), np.zeros(0, np.float32), 0.0)
    assert Relevance(1, 1, 1).logit(nothing, Background(0, 1)).shape == (0,)


def test_the_sigmoid_neither_overflows_nor_leaves_the_unit_interval() -> None:
    with np.errstate(over="raise", invalid="raise"):
        values = sigmoid(np.array([-1e6, -20, -1, 0, 1, 20, 1e6]))
    assert np.all((values >= 0) & (values <= 1))
    assert np.all(np.diff(values) >= 0)
    np.testing.assert_allclose(values[2:5], [1 / (1 + np.e), 0.5, np.e / (1 + np.e)], rtol=1e-6)


def test_the_background_questions_are_a_hundred_different_ones() -> None:
    questions = background_questions()
    assert len(set(questions)) == len(questions) == 100
    assert all(question == question.strip() and question.endswith("?") for question in questions)
