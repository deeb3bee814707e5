"""Making scores comparable: what a score is worth depends on the slice that it comes from.

Without labels, the yardstick is what random questions attain: the best cosine that each of a hundred questions about
anything reaches in the slice. A score is then measured in robust standard deviations above that (a z-score against
background questions), which means the same in every embedding space. How z and the lexical score become a probability of
relevance is one logistic function for all slices (see ``RELEVANCE``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexes.store.base import Candidates

Floats = NDArray[np.float32]

BACKGROUND = Path(__file__).with_name("background.txt")
NORMAL_MAD = 1.4826
SMALLEST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class Background:
    """Location and scale of a score over random questions.

    Parameters
    ----------
    centre
        Median of the best score that each background question attains.
    spread
        Their median absolute deviation times 1.4826, which estimates a standard deviation (Rousseeuw and Croux 1993).
    """

    centre: float
    spread: float

    @classmethod
    def of(cls, best: NDArray[np.floating]) -> Background:
        """Measure ``best`` scores ``[questions]``."""
        centre = float(np.median(best))
        spread = NORMAL_MAD * float(np.median(np.abs(best - centre)))
        return cls(centre, max(spread, SMALLEST_SPREAD))

    def z(self, scores: NDArray[np.floating]) -> Floats:
        """Standard deviations above what a random question attains, elementwise."""
        return np.asarray((scores - self.centre) / self.spread, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Relevance:
    """``P(relevant) = sigmoid(bias + dense · z + lexical · l)`` (Platt scaling with two features).

    ``z`` is the dense score against the background, ``l`` the BM25 score over the root of what the question could attain
    (``Candidates.lexical``).
    """

    bias: float
    dense: float
    lexical: float

    def logit(self, candidates: Candidates, background: Background) -> Floats:
        """Log-odds of relevance of each candidate, ``[n]``."""
        z = background.z(candidates.dense)
        return np.asarray(self.bias + self.dense * z + self.lexical * candidates.lexical, dtype=np.float32)


RELEVANCE = Relevance(bias=-4.9, dense=0.577, lexical=0.519)
"""Of experts that were not calibrated themselves: the fit to development questions of four BEIR sets under the plain encoder,
sets weighing the same; ``symposia bench defaults`` prints it again."""


def sigmoid(logits: NDArray[np.floating]) -> Floats:
    """``1 / (1 + exp(-x))``, elementwise, without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), dtype=np.float32)


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities of the same shape that sum to 1 along the last axis; none for no logits."""
    if not logits.size:
        return np.zeros(logits.shape)
    exponentials = np.exp(np.asarray(logits, dtype=np.float64) - np.max(logits, axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


@cache
def background_questions() -> tuple[str, ...]:
    """The questions about anything that every slice is measured against."""
    return tuple(line for line in BACKGROUND.read_text(encoding="utf-8").splitlines() if line)
