"""Which passages of a slice a training step looks at: all of a small slice, a chosen sample of a large one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from retrievers.training.measure import top
from retrievers.training.pairs import Rows

MOST = 15_000
HARD = 20


def pool(
    questions: Vectors, passages: Vectors, relevant: Sequence[Rows], seed: int = 0, most: int = MOST
) -> NDArray[np.intp]:
    """Rows of the passages to train against, ascending.

    All of them where there are no more than ``most``. Else every relevant passage, the ``HARD`` best of each question by the
    base encoder (mined hard negatives), and a random sample up to ``most``; more than that only where the relevant ones are.

    Parameters
    ----------
    questions, relevant
        Of train and of dev: dev is measured on the same sample while training.
    """
    if len(passages) <= most:
        return np.arange(len(passages))
    chosen = np.zeros(len(passages), dtype=bool)
    chosen[[row for rows in relevant for row in rows]] = True
    hard = top(questions, passages, HARD)
    for column in hard.T:  # the best of every question first, then the second best
        _fill(chosen, np.unique(column), most)
    _fill(chosen, np.random.default_rng(seed).permutation(len(passages)), most)
    return np.flatnonzero(chosen)


def narrowed(relevant: Sequence[Rows], rows: NDArray[np.intp]) -> list[dict[int, float]]:
    """The relevant passages as positions in ``rows``, which holds all of them."""
    return [{int(np.searchsorted(rows, row)): grade for row, grade in grades.items()} for grades in relevant]


def _fill(chosen: NDArray[np.bool_], candidates: NDArray[np.integer], most: int) -> None:
    room = max(0, most - int(chosen.sum()))
    chosen[candidates[~chosen[candidates]][:room]] = True
