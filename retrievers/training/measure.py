"""How well vectors rank: nDCG@10 over all passages of a slice, fast enough to be taken after each pass of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from retrievers.training.pairs import Rows

DEPTH = 10
BLOCK = 2**24
"""Scores held at a time."""


def ndcg(questions: Vectors, passages: Vectors, relevant: Sequence[Rows], depth: int = DEPTH) -> NDArray[np.float64]:
    """Give nDCG at ``depth`` of each question, ``[n]``, ranking all passages by cosine.

    Gain = grade, discount = log2(rank + 1), as trec_eval has it (Järvelin and Kekäläinen, TOIS 2002).

    Parameters
    ----------
    questions, passages
        Unit vectors ``[n, d]`` and ``[passages, d]``.
    relevant
        For each question, rows of its relevant passages to grades above 0; at least one.
    """
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    values = np.zeros(len(questions))
    for position, ranked in enumerate(top(questions, passages, depth)):
        grades = relevant[position]
        gains = np.array([grades.get(int(row), 0.0) for row in ranked])
        ideal = np.sort(np.fromiter(grades.values(), float))[::-1][:depth]
        values[position] = (gains @ discounts[: len(gains)]) / (ideal @ discounts[: len(ideal)])
    return values


def top(questions: Vectors, passages: Vectors, depth: int) -> NDArray[np.intp]:
    """Rows of the ``depth`` nearest passages of each question, best first, ``[n, min(depth, passages)]``.

    Of equal scores the lower row comes first: rows are in order of passage id.
    """
    depth = min(depth, len(passages))
    ranked = np.zeros((len(questions), depth), dtype=np.intp)
    size = max(1, BLOCK // max(1, len(passages)))
    for start in range(0, len(questions), size):
        scores = questions[start : start + size] @ passages.T
        bars = -np.partition(-scores, depth - 1, axis=1)[:, depth - 1] if depth else np.zeros(len(scores))
        for offset, (row, bar) in enumerate(zip(scores, bars, strict=True)):
            candidates = np.flatnonzero(row >= bar)
            ranked[start + offset] = candidates[np.argsort(-row[candidates], kind="stable")[:depth]]
    return ranked
