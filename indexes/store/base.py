"""The store protocol, and the arrays that cross it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

DENSE = "dense"
SPARSE = "bm25"


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Hashed term ids and their weights, ``[terms]`` each."""

    indices: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One passage as it is stored."""

    id: str
    dense: Vectors
    sparse: SparseVector
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The union of the best by dense and by BM25 search, with both scores of each.

    Parameters
    ----------
    ids
        Passage ids, ascending, so that equal scores have a fixed order.
    dense
        Cosine similarity, float32 ``[n]``.
    bm25
        BM25 score, float32 ``[n]``; 0 where no term of the question occurs.
    attainable
        Sum over the question's terms of the most that one term adds to any passage of the slice. A term that the
        slice lacks counts as if a single passage held it, so ``bm25 / attainable`` is the share of the question,
        weighted by the rarity of its words, that a passage covers.
    unseen
        Term ids of the question that no passage of the slice holds.
    """

    ids: tuple[str, ...]
    dense: NDArray[np.float32]
    bm25: NDArray[np.float32]
    attainable: float
    unseen: frozenset[int] = frozenset()

    @property
    def coverage(self) -> NDArray[np.float32]:
        """``bm25 / attainable``, float32 ``[n]`` in 0…1; zeros where the question has no terms."""
        if self.attainable <= 0:
            return np.zeros_like(self.bm25)
        share: NDArray[np.float32] = np.minimum(self.bm25 / np.float32(self.attainable), np.float32(1))
        return share


class Store(Protocol):
    """The points of one slice. Safe to use from several threads."""

    def upsert(self, points: Sequence[Point]) -> None:
        """Insert points, or replace those whose ids are there. Durable once ``flush`` has returned."""

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points; unknown ids are ignored."""

    def existing(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are stored."""

    def candidates(self, dense: Vectors, sparse: SparseVector, depth: int) -> Candidates:
        """The ``depth`` best by dense search and the ``depth`` best by BM25, as one set."""

    def fetch(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Payloads in the order of ``ids``; an unknown id is a ``KeyError``."""

    def scan(self, batch: int = 1000) -> Iterator[tuple[tuple[str, ...], Vectors]]:
        """All ids and dense vectors ``[n, dimension]``, in batches, in order of id."""

    def count(self) -> int:
        """Number of points."""

    def flush(self) -> None:
        """Make everything written so far durable."""

    def drop(self) -> None:
        """Remove everything that is stored, and close."""

    def close(self) -> None:
        """Release files and connections."""


def merge(
    dense: dict[str, float], bm25: dict[str, float], per_term: Mapping[int, float | None], passages: int
) -> Candidates:
    """Build ``Candidates`` from what two searches and one search per term returned.

    ``per_term`` holds each term's best score alone, ``None`` for a term that no passage has; such a term counts with the
    inverse document frequency of a term in one of ``passages`` passages.
    """
    ids = tuple(sorted(dense))
    rarest = float(np.log(1 + (passages - 0.5) / 1.5)) if passages else 0.0
    return Candidates(
        ids=ids,
        dense=np.array([dense[i] for i in ids], dtype=np.float32),
        bm25=np.array([bm25.get(i, 0.0) for i in ids], dtype=np.float32),
        attainable=float(sum(rarest if score is None else score for score in per_term.values())),
        unseen=frozenset(term for term, score in per_term.items() if score is None),
    )
