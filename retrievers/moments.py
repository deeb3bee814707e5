"""First and second moments of a set of vectors: all that least squares needs of them, whatever their number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Of vectors ``[n, d]``, at least one.

    Parameters
    ----------
    mean
        ``[d]``.
    second
        Mean of ``v vᵀ``, ``[d, d]``.
    """

    mean: NDArray[np.float64]
    second: NDArray[np.float64]

    @classmethod
    def of(cls, vectors: Vectors) -> Moments:
        """Measure."""
        rows = vectors.astype(np.float64)
        return cls(rows.mean(axis=0), rows.T @ rows / len(rows))
