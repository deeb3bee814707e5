from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

from indexes.encoders.base import unit
from retrievers.probe import Probe


def data(positive: int, negative: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(positive + negative, 12))
    vectors[:positive, 0] += 2.0
    return unit(vectors.astype(np.float32)), np.arange(positive + negative) < positive


def test_it_points_where_weighted_ridge_regression_points() -> None:
    vectors, positive = data(15, 60)
    probe = Probe.fit(vectors, positive, ridge=2.0)
    weights = np.where(positive, 0.5 / positive.mean(), 0.5 / (1 - positive.mean()))
    reference = Ridge(alpha=2.0).fit(vectors, np.where(positive, 1.0, -1.0), sample_weight=weights)
    slope = np.linalg.norm(probe.weights) / np.linalg.norm(reference.coef_)
    np.testing.assert_allclose(probe.weights, slope * reference.coef_, atol=1e-3)


def test_its_log_odds_are_those_of_texts_left_out() -> None:
    vectors, positive = data(15, 60)
    each = np.where(positive, 0.5 / positive.mean(), 0.5 / (1 - positive.mean()))
    left_out = np.zeros((len(vectors), 1))
    for row in range(len(vectors)):
        rest = np.arange(len(vectors)) != row
        one = Ridge(alpha=2.0).fit(vectors[rest], np.where(positive, 1.0, -1.0)[rest], sample_weight=each[rest])
        left_out[row] = one.predict(vectors[[row]])
    platt = LogisticRegression(C=1e6).fit(left_out, positive, sample_weight=each)
    whole = Ridge(alpha=2.0).fit(vectors, np.where(positive, 1.0, -1.0), sample_weight=each)
    expected = platt.decision_function(whole.predict(vectors)[:, None])
    probe = Probe.fit(vectors, positive, ridge=2.0)
    np.testing.assert_allclose([probe.score(vector) for vector in vectors], expected, atol=0.02)


def test_it_tells_the_two_sorts_apart() -> None:
    probe = Probe.fit(*data(100, 400))
    vectors, positive = data(50, 50, seed=1)
    scores = np.array([probe.score(vector) for vector in vectors])
    assert ((scores > 0) == positive).mean() > 0.8


def test_what_cannot_be_told_apart_has_even_odds() -> None:
    vectors, _ = data(100, 100)
    probe = Probe.fit(vectors, np.random.default_rng(4).random(200) < 0.5)
    assert max(abs(probe.score(vector)) for vector in vectors) < 1
