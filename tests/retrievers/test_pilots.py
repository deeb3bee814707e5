from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes.encoders.base import unit
from retrievers import pilots
from retrievers.calibration import Background
from retrievers.pilots import Pilots, centroids


def random_units(count: int, dimension: int = 16, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((count, dimension))
    return unit(vectors)


def rows(vectors: NDArray[np.float32]) -> set[tuple[float, ...]]:
    return {tuple(np.round(row, 5).tolist()) for row in vectors}


def test_a_score_is_the_best_cosine_in_spreads_above_the_background() -> None:
    found = Pilots(np.eye(3, dtype=np.float32), Background(0.5, 0.1))
    assert found.score(np.array([0.6, 0.8, 0.0], np.float32)) == pytest.approx((0.8 - 0.5) / 0.1, rel=1e-5)


def test_the_background_is_what_random_questions_attain() -> None:
    vectors, questions = random_units(5), random_units(50, seed=1)
    found = Pilots.of(vectors, questions)
    best = (questions @ vectors.T).max(axis=1)
    assert found.background == Background.of(best)
    assert np.median([found.score(question) for question in questions]) == pytest.approx(0, abs=1e-4)


def test_few_vectors_are_their_own_pilots_each_once() -> None:
    vectors = random_units(6)
    found = centroids(np.concatenate([vectors, vectors[:3]]), count=8)
    assert rows(found) == rows(vectors)


def test_many_vectors_become_as_many_unit_centroids_as_asked_for() -> None:
    found = centroids(random_units(300), count=8)
    assert found.shape == (8, 16)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(found, centroids(random_units(300), count=8))


def test_centroids_lie_in_the_middle_of_their_clusters() -> None:
    noise = 0.05 * np.random.default_rng(0).standard_normal((300, 16)).astype(np.float32)
    middles = np.eye(16, dtype=np.float32)[:3]
    found = centroids(np.repeat(middles, 100, axis=0) + noise, count=3)
    np.testing.assert_allclose(np.sort((found @ middles.T).max(axis=1)), 1, atol=0.01)
    assert set(np.argmax(found @ middles.T, axis=1)) == {0, 1, 2}


def test_a_large_slice_is_sampled_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pilots, "SAMPLE", 10)
    vectors = random_units(40)
    one, again, other = (centroids(vectors, count=20, seed=seed) for seed in (0, 0, 1))
    assert len(one) == 10
    assert rows(one) == rows(again) != rows(other)
    assert rows(one) <= rows(vectors)
