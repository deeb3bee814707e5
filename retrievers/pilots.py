"""Pilots: a few vectors that stand for an expert when a question is routed.

Made from passages, they are centroids of the slice's vectors (spherical k-means). A question's score for an expert is its
best cosine with any pilot, measured against what random questions attain, so that a slice of many near-alike passages has
no advantage over a diverse one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors, unit
from retrievers.calibration import Background

PILOTS = 64
QUESTION_PILOTS = 16
"""From labelled questions: 16 route as well as 128, or as all questions (development questions of four BEIR sets)."""

SAMPLE = 20_000


@dataclass(frozen=True, slots=True)
class Pilots:
    """An expert's pilots and the background of their scores.

    Parameters
    ----------
    vectors
        Unit vectors ``[pilots, dimension]`` in the base encoder's space.
    background
        Of the best cosine with any pilot.
    """

    vectors: Vectors
    background: Background

    @classmethod
    def of(cls, vectors: Vectors, background_vectors: Vectors) -> Pilots:
        """Pilots whose background is measured with ``background_vectors`` ``[questions, dimension]``."""
        best = (background_vectors @ vectors.T).max(axis=1)
        return cls(vectors, Background.of(best))

    def score(self, question: Vectors) -> float:
        """Best cosine of one question ``[dimension]`` with any pilot, in standard deviations above the background."""
        return float(self.background.z(np.array((self.vectors @ question).max())))


def centroids(vectors: Vectors, count: int = PILOTS, seed: int = 0) -> Vectors:
    """Unit centroids ``[≤ count, dimension]`` of passage vectors by k-means on the unit sphere.

    A slice of more than 20,000 passages is sampled first. Fewer distinct vectors than ``count`` are returned as they are.
    """
    sample = _sample(vectors, seed)
    distinct = np.unique(sample, axis=0)
    if len(distinct) <= count:
        return unit(distinct)
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(n_clusters=count, random_state=seed, n_init=1, batch_size=1024, max_iter=50)
    model.fit(sample)
    return unit(model.cluster_centers_)


def _sample(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    if len(vectors) <= SAMPLE:
        return vectors
    rows = np.random.default_rng(seed).choice(len(vectors), SAMPLE, replace=False)
    return vectors[np.sort(rows)]
