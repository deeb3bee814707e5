"""The store protocol, and the arrays that cross it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

DENSE = "dense"
SPARSE = "bm25"
DOCUMENT = "document_id"  # the field of payloads by which passages are looked up and removed

SPARE = (16, 1024)


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
    def lexical(self) -> NDArray[np.float32]:
        """``bm25 / sqrt(attainable)``, float32 ``[n]``; zeros where the question has no terms.

        Between the raw score, which grows with the length of the question, and coverage, which says less the longer it is:
        of the powers 0, ½ and 1 of ``attainable``, ½ ranks best on development questions of four BEIR sets.
        """
        if self.attainable <= 0:
            return np.zeros_like(self.bm25)
        capped = np.minimum(self.bm25, np.float32(self.attainable))
        return np.asarray(capped / np.sqrt(self.attainable), dtype=np.float32)

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

    def update_vectors(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Replace dense vectors ``[len(ids), dimension]`` and nothing else; unknown ids are ignored.

        A vector that came from ``scan`` is scanned again as it was, to the last bit. Only the in-memory mode of Qdrant's
        client is off by some rounding there, because it scales all vectors to length 1 again, at every question too.
        """

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points; unknown ids are ignored."""

    def existing(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are stored."""

    def candidates(self, dense: Vectors, sparse: SparseVector, depth: int) -> Candidates:
        """The ``depth`` best by dense search and the ``depth`` best by BM25, as one set; of equals, the lower id.

        How rare a term is, Qdrant takes from its index: passages without any term do not count, and those that were deleted
        count until their segment is made anew.
        """

    def fetch(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Payloads in the order of ``ids``; an unknown id is a ``KeyError``."""

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """Dense vectors ``[len(ids), dimension]`` in the order of ``ids``; an unknown id is a ``KeyError``."""

    def scan(self, batch: int = 1000) -> Iterator[tuple[tuple[str, ...], Vectors]]:
        """All ids and dense vectors ``[n, dimension]``, in batches, in order of id."""

    def records(self, batch: int = 1000) -> Iterator[list[Point]]:
        """All points as they are stored, in batches, in order of id; given to ``upsert``, they are stored the same again.

        Dense vectors are of length 1, and the terms of a sparse vector may stand in another order than they were given in.
        """

    def payloads(
        self, fields: Sequence[str], where: Mapping[str, Sequence[str]] | None = None, batch: int = 1000
    ) -> Iterator[tuple[tuple[str, ...], list[dict[str, Any]]]]:
        """All ids and these fields of their payloads, in batches, in order of id.

        Parameters
        ----------
        fields
            Names of top-level fields; one that a payload lacks is left out of it.
        where
            Field to the texts that it may have: points of which any such field has none of them are left out.
        """

    def term_counts(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """The distinct term ids of all sparse vectors, ascending ``[t]``, and how many points hold each ``[t]``."""

    def count(self) -> int:
        """Number of points."""

    def flush(self) -> None:
        """Make everything written so far durable."""

    def optimize(self) -> None:
        """Bring the index up to date after much was written; nothing to do is quickly done.

        Searches go on meanwhile, and find the same before and after, up to what an approximate index may miss.
        """

    def drop(self) -> None:
        """Remove everything that is stored, and close."""

    def close(self) -> None:
        """Release files and connections."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the searches of one question returned, each as scores by id.

    Engines break ties as their segments lie, which differs from one build of a slice to the next. So they are asked for
    more than is wanted, and the cut is made here.

    Parameters
    ----------
    limit
        How many hits each search was asked for.
    top, lexical
        The best by dense search and the best by BM25.
    top_lexical, lexical_dense
        BM25 of ``top``, and dense scores of ``lexical``.
    per_term
        Each term's best score alone, ``None`` for a term that no passage has.
    """

    limit: int
    top: dict[str, float]
    lexical: dict[str, float]
    top_lexical: dict[str, float]
    lexical_dense: dict[str, float]
    per_term: Mapping[int, float | None]

    def decides(self, depth: int) -> bool:
        """Whether the ``depth`` best are known: no hit that was not returned can be equal to one that is taken."""
        return all(
            len(scores) < self.limit or sorted(scores.values())[-depth] > min(scores.values())
            for scores in (self.top, self.lexical)
        )

    def best(self, depth: int, passages: int) -> Candidates:
        """The union of the ``depth`` best by each search, of a slice that has so many ``passages``."""
        chosen = {*_best(self.top, depth), *_best(self.lexical, depth)}
        dense, bm25 = self.top | self.lexical_dense, self.lexical | self.top_lexical
        return merge({i: score for i, score in dense.items() if i in chosen}, bm25, self.per_term, passages)


def deepened(search: Callable[[int], Found], depth: int) -> Found:
    """Search with a limit that leaves room for ties at the cut; beyond a thousand of them, the engine's order stands."""
    for spare in SPARE:
        found = search(depth + spare)
        if found.decides(depth):
            break
    return found


def recorded(id_: object, vectors: Mapping[str, Any], payload: Mapping[str, Any] | None) -> Point:
    """The point of a record with both vectors and payload, from either engine; a point may have no terms."""
    sparse = vectors.get(SPARSE)
    terms = SparseVector((), ()) if sparse is None else SparseVector(tuple(sparse.indices), tuple(sparse.values))
    return Point(str(id_), np.array(vectors[DENSE], dtype=np.float32), terms, dict(payload or {}))


def found_of(limit: int, answers: Sequence[dict[str, float]], sparse: SparseVector) -> Found:
    """Sort the answers to one question: by dense search, and where it has terms the three others and one a term."""
    top, lexical, top_lexical, lexical_dense, *terms = answers if sparse.indices else (*answers, {}, {}, {})
    best = {index: max(hits.values(), default=None) for index, hits in zip(sparse.indices, terms, strict=True)}
    return Found(limit, top, lexical, top_lexical, lexical_dense, best)


def counted(batches: Iterable[Sequence[Sequence[int]]]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Count term ids over batches of points; a point names each of its terms once."""
    counts: Counter[int] = Counter()
    for batch in batches:
        counts.update(chain.from_iterable(batch))
    terms = np.array(sorted(counts), dtype=np.uint32)
    return terms, np.array([counts[int(term)] for term in terms], dtype=np.int64)


def _best(scores: dict[str, float], depth: int) -> list[str]:
    return sorted(scores, key=lambda i: (-scores[i], i))[:depth]


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
