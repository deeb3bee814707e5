"""The rivals' side: all passages of all sets in one slice, which one encoder searches. Vectors are copied, not encoded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexes.adapters.linear import Linear
from indexes.encoders.base import Encoder, Progress, Vectors
from indexes.manifest import FILE as MANIFEST
from indexes.passage import Passage
from indexes.slice import Slice
from indexes.store.base import Candidates
from retrievers.expert import Expert
from retrievers.merging import Merging, Ranked, merge
from retrievers.training.linear import Options, Questions, train_linear
from retrievers.training.pairs import near_duplicates
from retrievers.training.pool import narrowed, pool

if TYPE_CHECKING:
    from retrievers.panel import Panel
    from retrievers.training.kinds import Report

SAMPLE = 1000
BATCH = 1000
DEPTH = 100

Ranking = list[tuple[str, float]]
Judged = tuple[Vectors, Sequence[Mapping[str, int]]]
"""Base vectors of questions ``[n, d]`` and their relevant passages."""


class Copied:
    """An encoder whose passages' vectors are known already, by their texts.

    Parameters
    ----------
    encoder
        That made them.
    vectors
        Text to unit vector.
    """

    def __init__(self, encoder: Encoder, vectors: Mapping[str, Vectors]) -> None:
        self.fingerprint = encoder.fingerprint
        self._encoder, self._vectors = encoder, vectors

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """See ``Encoder``."""
        return self._encoder.encode_questions(texts)

    def encode_passages(self, texts: Sequence[str], _on_progress: Progress | None = None) -> Vectors:
        """See ``Encoder``; an unknown text is a ``KeyError``."""
        return np.stack([self._vectors[text] for text in texts])


def pooled(panel: Panel, names: Sequence[str], folder: Path, report: Report) -> Slice:
    """The slice of all passages of some experts, made in ``folder`` where there is none that is whole."""
    experts = [panel.experts[name] for name in sorted(names)]
    total = sum(expert.slice.store.count() for expert in experts)
    if (folder / MANIFEST).is_file():
        slice_ = Slice.open(folder, panel.encoder, panel.open_store)
        if slice_.manifest.passages and _ids(experts) == _stored(slice_):
            return slice_
        slice_.delete()
    sample = [passage for expert in experts for passage, _ in _passages(expert, SAMPLE // len(experts))]
    slice_ = Slice.create(folder, "pool", "All sets.", panel.encoder, panel.open_store, sample)
    done = 0
    for expert in experts:
        for batch in _batches(expert):
            vectors = {passage.searchable: vector for passage, vector in batch}
            slice_.add([passage for passage, _ in batch], Copied(panel.encoder, vectors))
            done += len(batch)
            report("pooling", done, total)
    return slice_


def _ids(experts: Sequence[Expert]) -> set[str]:
    return {i for expert in experts for i in _stored(expert.slice)}


def _stored(slice_: Slice) -> set[str]:
    return {i for ids, _ in slice_.store.scan() for i in ids}


def _batches(expert: Expert) -> Iterator[list[tuple[Passage, Vectors]]]:
    for ids, vectors in expert.slice.base_vectors(BATCH):
        yield list(zip(expert.slice.passages(ids), vectors, strict=True))


def _passages(expert: Expert, limit: int) -> list[tuple[Passage, Vectors]]:
    return next(_batches(expert), [])[:limit]


def ranked_by(candidates: Candidates, fusion: tuple[Merging, float] | str) -> Ranking:
    """One question's ranking by ``"dense"``, by ``"bm25"``, or by a standard fusion of both with a weight for BM25."""
    dense = _list("dense", candidates.ids, candidates.dense, 1.0)
    bm25 = _list("bm25", candidates.ids, candidates.bm25, 1.0)
    if isinstance(fusion, str):
        only = {"dense": dense, "bm25": bm25}[fusion]
        return list(zip(only.ids, map(float, only.scores), strict=True))
    method, weight = fusion
    lists = [
        Ranked(each.expert, each.ids, each.scores, by) for each, by in ((dense, 1 - weight), (bm25, weight)) if by > 0
    ]
    return merge(lists, method)[:DEPTH]


def _list(name: str, ids: Sequence[str], scores: Vectors, weight: float) -> Ranked:
    order = np.argsort(-scores, kind="stable")[:DEPTH]
    kept = [row for row in order if name == "dense" or scores[row] > 0]
    return Ranked(name, tuple(ids[row] for row in kept), np.asarray(scores[kept], dtype=np.float32), weight)


def multi_task(
    slice_: Slice,
    train: Sequence[Judged],
    dev: Sequence[Judged],
    test: Vectors,
    report: Report,
    seed: int = 0,
) -> Linear:
    """One linear map of questions for all sets, trained on the training questions of all: RouterRetriever's rival.

    It is trained as one fold of an expert's linear map is. An expert has more to choose from: the mean of several folds' maps at a
    strength that dev chose, a map of passages beside it, passages that are moved (NUDGE), or the plain encoder. Here the map is used
    in full, and where it is fused with BM25, so with the fusion that was chosen for the base encoder.

    Parameters
    ----------
    train, dev
        Of each set, base vectors of questions and their relevant passages. A fifth of the training questions of a set judges
        where ``dev`` has nothing of it; the caller sees to that.
    test
        Base vectors of all test questions, whose near-duplicates are not trained on.
    """
    batches = list(slice_.base_vectors())
    row = {i: n for n, i in enumerate(i for ids, _ in batches for i in ids)}
    passages = np.concatenate([vectors for _, vectors in batches])
    judging = _questions(dev, row)
    near = near_duplicates(np.concatenate([v for v, _ in train]), np.concatenate([test, judging.vectors]))
    every = _questions(train, row)
    kept = [n for n in range(len(every)) if not near[n] and every.relevant[n]]
    learning = Questions(every.vectors[kept], [every.relevant[n] for n in kept])
    rows = pool(
        np.concatenate([learning.vectors, judging.vectors]), passages, [*learning.relevant, *judging.relevant], seed
    )
    maps = train_linear(
        Questions(learning.vectors, narrowed(learning.relevant, rows)),
        passages[rows],
        Questions(judging.vectors, narrowed(judging.relevant, rows)),
        Options(seed=seed),
        on_progress=lambda done, total: report("multi-task adapter", done, total),
    )
    return Linear(maps.question)


def _questions(parts: Sequence[Judged], row: Mapping[str, int]) -> Questions:
    relevant = [
        {row[i]: float(grade) for i, grade in grades.items() if grade > 0 and i in row}
        for _, each in parts
        for grades in each
    ]
    vectors = np.concatenate([vectors for vectors, _ in parts])
    kept = [n for n, rows in enumerate(relevant) if rows]
    return Questions(vectors[kept], [relevant[n] for n in kept])
