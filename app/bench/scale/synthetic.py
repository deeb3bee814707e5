"""Passages that nobody wrote: clustered vectors and texts of words as rare as real ones, the same from every process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from indexes.store.base import Vectors

BATCH = 1000
CLUSTER = 500  # passages that share a centre, on average
SPREAD = 1.0  # length of the noise beside a centre's 1: cosines of about 0.5 within a cluster, 0 between
VOCABULARY = 50_000
SHIFT = 20.0  # word r has a frequency of 1 / (r + shift), as after the removal of stop words
WORDS = (20, 61)
OWN = 0.3  # share of words from the cluster's own vocabulary
OWN_WORDS = 40
ASKED_WORDS = 6
PER_DOCUMENT = 5  # passages of a document


@dataclass(frozen=True, slots=True)
class Batch:
    """Some passages: ids, unit vectors ``[n, dimension]``, texts, and the ids of their documents."""

    ids: tuple[str, ...]
    vectors: Vectors
    texts: tuple[str, ...]
    documents: tuple[str, ...]


@dataclass(frozen=True)
class Synthetic:
    """``points`` passages in clusters; batch ``b`` depends on the seed and ``b`` alone.

    Parameters
    ----------
    points
        How many passages.
    clusters
        How many clusters; fewer points of as many are the first points of the larger corpus. 0 for one in ``CLUSTER``.
    dimension
        Length of a vector.
    seed
        Of everything.
    """

    points: int
    clusters: int = 0
    dimension: int = 384
    seed: int = 0

    def batches(self) -> Iterator[Batch]:
        """All passages in order of id."""
        for start in range(0, self.points, BATCH):
            yield self._batch(start, min(self.points, start + BATCH))

    def nearest(self, asked: Vectors, k: int) -> list[list[str]]:
        """The ids of the ``k`` nearest passages to each question, by looking at all of them; of equals, the lower."""
        best: list[list[tuple[float, str]]] = [[] for _ in asked]
        for batch in self.batches():
            cosines = asked @ batch.vectors.T
            few = np.argpartition(-cosines, min(k, cosines.shape[1]) - 1, axis=1)[:, :k]
            for row, columns in enumerate(few):
                found = [(-float(cosines[row, column]), batch.ids[column]) for column in columns]
                best[row] = sorted([*best[row], *found])[:k]
        return [[i for _, i in row] for row in best]

    def questions(self, n: int) -> tuple[Vectors, list[str]]:
        """``n`` questions, each a passage's vector with noise and six words of its text, the rarer ones likelier."""
        random = np.random.default_rng((self.seed, 1))
        vectors, texts = [], []
        for row in random.choice(self.points, size=n, replace=n > self.points):
            start = int(row) // BATCH * BATCH
            batch = self._batch(start, min(self.points, start + BATCH))
            vectors.append(_unit(batch.vectors[row - start] + _noise(random, 1, self.dimension, SPREAD / 2)[0]))
            words = sorted(set(batch.texts[row - start].split()))
            texts.append(" ".join(random.choice(words, size=min(ASKED_WORDS, len(words)), replace=False)))
        return np.stack(vectors), texts

    @cached_property
    def _centres(self) -> Vectors:
        count = self.clusters or max(1, self.points // CLUSTER)
        random = np.random.default_rng((self.seed, 0))
        return _unit(random.standard_normal((count, self.dimension)).astype(np.float32))

    @cached_property
    def _frequencies(self) -> NDArray[np.float64]:
        weights = 1 / (np.arange(VOCABULARY) + SHIFT)
        return np.cumsum(weights / weights.sum())

    def _vectors(self, start: int) -> tuple[np.random.Generator, Vectors, NDArray[np.int64]]:
        random = np.random.default_rng((self.seed, 2, start))
        clusters = random.integers(len(self._centres), size=BATCH)
        noise = _noise(random, BATCH, self.dimension, SPREAD)
        return random, _unit(self._centres[clusters] + noise), clusters

    def _batch(self, start: int, end: int) -> Batch:
        random, vectors, clusters = self._vectors(start)
        lengths = random.integers(*WORDS, size=BATCH)
        total = int(lengths.sum())
        words = np.searchsorted(self._frequencies, random.random(total))
        own = random.random(total) < OWN
        words[own] = (
            np.repeat(clusters, lengths)[own] * 9973 + random.integers(OWN_WORDS, size=int(own.sum())) * 1009
        ) % VOCABULARY
        ends = np.cumsum(lengths)
        rows = range(start, end)
        return Batch(
            tuple(str(UUID(int=(row << 64) + 1)) for row in rows),
            vectors[: end - start],
            tuple(
                " ".join(f"w{word:x}" for word in words[ends[row] - lengths[row] : ends[row]].tolist())
                for row in range(end - start)
            ),
            tuple(f"document-{row // PER_DOCUMENT}" for row in rows),
        )


def _noise(random: np.random.Generator, rows: int, dimension: int, length: float) -> Vectors:
    noise = random.standard_normal((rows, dimension)) * (length / np.sqrt(dimension))
    return np.asarray(noise, dtype=np.float32)


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / lengths, dtype=np.float32)
