"""Who is trained on and who judges: one split where dev questions were given, else each question judges once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from retrievers.training.pairs import hold_out, near_duplicates

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Fold:
    """Positions of the questions that an adapter is trained on, and of those that judge it, ascending.

    Parameters
    ----------
    near
        How many that might have been trained on nearly repeat one of those that judge, and were left out.
    """

    train: NDArray[np.intp]
    dev: NDArray[np.intp]
    near: int = 0


def single(vectors: Vectors, dev: NDArray[np.bool_]) -> list[Fold]:
    """One fold: the questions of the mask judge, the others train, but for their near-duplicates.

    Parameters
    ----------
    vectors
        Base unit vectors of all questions ``[n, d]``.
    """
    near = near_duplicates(vectors, vectors[dev]) & ~dev
    return [Fold(np.flatnonzero(~dev & ~near), np.flatnonzero(dev), int(near.sum()))]


def held_out(vectors: Vectors, seed: int) -> list[Fold]:
    """One fold whose judges are held out by chance; see ``pairs.hold_out``."""
    return single(vectors, hold_out(len(vectors), seed))


def crossed(vectors: Vectors, seed: int, folds: int = FOLDS) -> list[Fold]:
    """As many folds as ``folds``; each question judges in one of them, by chance, and trains in the others."""
    part = np.random.default_rng(seed).permutation(len(vectors)) % folds
    return [fold for number in range(folds) for fold in single(vectors, part == number)]


def judges(folds: Sequence[Fold]) -> NDArray[np.intp]:
    """Positions of all judging questions, in the order in which their scores are kept."""
    return np.concatenate([fold.dev for fold in folds])
