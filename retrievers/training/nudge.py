"""Passages moved towards the questions that they answer: NUDGE-N (Zeighami, Wellmer and Parameswaran, ICLR 2025, arXiv 2409.02343).

It raises the mean cosine between training questions and their passages as far as it can be raised while each passage
stays on the unit sphere and within a distance γ of where it was. It learns about passages, one by one, and nothing about
questions: a passage that no training question asked for stays where it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from retrievers.training.pairs import Rows

DISTANCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
"""γ, of which dev chooses."""

Floats = NDArray[np.float32]


def pulls(questions: Vectors, relevant: Sequence[Rows], passages: int) -> tuple[NDArray[np.intp], Floats]:
    """Rows of the passages that are asked for, ascending, and the sum of their questions, weighted by grade, ``[rows, d]``."""
    sums = np.zeros((passages, questions.shape[1]), dtype=np.float32)
    for question, rows in zip(questions, relevant, strict=True):
        for row, grade in rows.items():
            sums[row] += np.float32(grade) * question
    asked = np.flatnonzero((sums != 0).any(axis=1))
    return asked, sums[asked]


def nudge(passages: Vectors, pull: Floats, distance: float) -> Floats:
    """Moves ``[n, d]`` of unit ``passages`` ``[n, d]``: after them each is a unit vector, no further than ``distance`` away.

    A linear function over a cap of the sphere is greatest at the pull's own direction where the cap holds it, and else on
    the cap's rim, in the plane of the passage and the pull. The cap of points within γ of d are those with a cosine of at
    least 1 - γ²/2.
    """
    cosine = np.float32(max(-1.0, 1 - distance * distance / 2))
    target = _unit(pull)
    along = np.sum(target * passages, axis=1, keepdims=True)
    aside = _unit(target - along * passages)
    rim = cosine * passages + np.sqrt(1 - cosine * cosine) * aside
    moves: Floats = np.asarray(np.where(along >= cosine, target, rim) - passages, dtype=np.float32)
    # A pull straight away from the passage has no side to turn to.
    moves[(along <= -1 + 1e-6).ravel()] = 0
    return moves


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
