"""A linear probe: one direction in an embedding space that tells two sorts of texts apart, and how surely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from retrievers.calibration import sigmoid

RIDGE = 2.0
STEPS = 30
LEAST = 1e-6
HALF = 0.5
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Probe:
    """``weights · x + bias``, the log-odds of the one sort against the other.

    Parameters
    ----------
    weights
        ``[dimension]``.
    bias
        Added to it.
    """

    weights: NDArray[np.float32]
    bias: float

    @classmethod
    def fit(cls, vectors: Vectors, positive: NDArray[np.bool_], ridge: float = RIDGE) -> Probe:
        """Ridge regression in closed form, then Platt scaling of what it says of each text when that is left out.

        Both sorts weigh the same. An encoder that cannot tell them apart gets log-odds near 0. Sources: Hoerl and Kennard
        1970; Platt 1999; the scores of texts left out from the hat matrix (Allen 1974).

        Parameters
        ----------
        vectors
            Unit vectors ``[n, dimension]``.
        positive
            Which of them are of the first sort, ``[n]``; there must be some of both.
        ridge
            Penalty on the squared length of the weights, against a sum of squared errors.
        """
        share = positive.mean()
        each = np.where(positive, HALF / share, HALF / (1 - share))
        columns = np.c_[vectors.astype(np.float64), np.ones(len(vectors))]
        penalty = np.full(columns.shape[1], ridge)
        penalty[-1] = 0.0
        target = np.where(positive, 1.0, -1.0)
        weighted = columns * each[:, None]
        solved = np.linalg.solve(weighted.T @ columns + np.diag(penalty), weighted.T)
        found = solved @ target
        leverage = np.einsum("ij,ji->i", columns, solved)
        left_out = (columns @ found - leverage * target) / (1 - leverage)
        slope, offset = _platt(left_out, positive, each)
        return cls((slope * found[:-1]).astype(np.float32), float(slope * found[-1] + offset))

    def score(self, vector: Vectors) -> float:
        """Log-odds: above 0 for the first sort, below for the other."""
        return float(self.weights @ vector) + self.bias


def _platt(scores: Floats, positive: NDArray[np.bool_], weights: Floats) -> tuple[float, float]:
    """Slope, never below 0, and offset of the logistic regression on one score, by Newton's method."""
    columns = np.c_[scores, np.ones(len(scores))]
    found = np.zeros(2)
    for _ in range(STEPS):
        p = sigmoid(columns @ found).astype(np.float64)
        gradient = columns.T @ (weights * (p - positive))
        hessian = (columns * (weights * p * (1 - p))[:, None]).T @ columns + LEAST * np.eye(2)
        found = found - np.linalg.solve(hessian, gradient)
    return (float(found[0]), float(found[1])) if found[0] > 0 else (0.0, 0.0)
