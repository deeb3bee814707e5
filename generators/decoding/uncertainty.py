"""How unsure a model is of a short answer that it gave from memory, and the threshold below which it counts as knowing.

The draft is closed-book, the model's answer without any source (TARG, arXiv 2511.09803). Unsure means retrieve.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from generators.decoding.drafts import Draft
from indexes.errors import InputError

DELTA = 0.05
BETA = 1.0  # nats

Measure = Literal["margin", "entropy", "max entropy", "probability"]


def margin(draft: Draft, beta: float = BETA) -> float:
    """Mean of ``exp(-gap / beta)`` over the tokens, 0 to 1: 1 where each is a tie (TARG, section 3).

    Parameters
    ----------
    beta
        Scale of the gap between the two most probable tokens, in nats.
    """
    return float(np.exp(-np.asarray(draft.margins, dtype=np.float64) / beta).mean())


def mean_entropy(draft: Draft) -> float:
    """Mean entropy over the tokens, in nats (TARG, section 3)."""
    return float(draft.entropies.mean(dtype=np.float64))


def max_entropy(draft: Draft) -> float:
    """Largest entropy of any token, in nats: the best single signal of self-knowledge in arXiv 2501.12835."""
    return float(draft.entropies.max())


def improbability(draft: Draft) -> float:
    """One minus the probability of the least probable token, 0 to 1 (least token confidence; arXiv 2607.24010)."""
    return float(-np.expm1(np.asarray(draft.log_probs, dtype=np.float64).min()))


MEASURES: Mapping[Measure, Callable[[Draft], float]] = {
    "margin": margin,
    "entropy": mean_entropy,
    "max entropy": max_entropy,
    "probability": improbability,
}


def safe_budget(budget: float, n: int, delta: float = DELTA) -> float:
    """The share of ``n`` questions that a threshold may let pass for ``budget`` to hold on further ones, 0 at least.

    ``budget - sqrt(ln(2 / delta) / (2 n))`` (arXiv 2607.24010, from the inequality of Dvoretzky, Kiefer, Wolfowitz and
    Massart), which holds with probability ``1 - delta`` over the draw of the questions.
    """
    return max(0.0, budget - math.sqrt(math.log(2 / delta) / (2 * n)))


def exact_budget(budget: float, n: int, delta: float = DELTA) -> float:
    """The same for a small budget, where the exact binomial tail is far tighter than the inequality.

    The largest share ``k / n`` for which a threshold at the k-th of n uncertainties lets pass more than ``budget`` of all
    questions with a probability of at most ``delta`` (the one-sided tolerance limit of Wilks, 1941).
    """
    from scipy.stats import binom

    if budget == 0:
        return 0.0
    k = int(binom.ppf(delta, n, budget))  # the first at which the tail reaches delta
    if k < n and binom.cdf(k, n, budget) <= delta:
        k += 1
    return k / n


@dataclass(frozen=True, slots=True)
class Threshold:
    """Up to which uncertainty a model counts as knowing the answer.

    Parameters
    ----------
    value
        Uncertainties up to this, and no others, count as knowing; minus infinity where none does.
    measure
        Of ``MEASURES``.
    """

    value: float
    measure: Measure = "margin"

    @classmethod
    def of(
        cls,
        uncertainties: ArrayLike,
        budget: float,
        *,
        measure: Measure = "margin",
        bound: Callable[[float, int], float] = exact_budget,
    ) -> Threshold:
        """The highest threshold that lets at most ``budget`` of questions like the given ones pass as known.

        Parameters
        ----------
        uncertainties
            Of questions that need sources, ``[n]``.
        budget
            Share of them that may be skipped, 0 to 1; 0 skips none.
        bound
            ``exact_budget`` or ``safe_budget``: what share of the given questions may pass.

        Raises
        ------
        InputError
            A budget that is no share, or no question.
        """
        values = np.sort(np.asarray(uncertainties, dtype=np.float64).ravel())
        if not 0 <= budget < 1:
            raise InputError(f"The share that may be skipped cannot be {budget}.", "Give 0 or more, below 1.")
        if not values.size:
            raise InputError("There are no questions to fit the threshold to.", "Give at least one.")
        return cls(_below(values, bound(budget, values.size)), measure)

    def knows(self, draft: Draft) -> bool:
        """Whether the model counts as knowing what it drafted."""
        return bool(draft.text.strip()) and MEASURES[self.measure](draft) <= self.value


def uncertainties(drafts: Sequence[Draft], measure: Measure) -> NDArray[np.float64]:
    """Uncertainty of each draft, ``[drafts]``."""
    return np.array([MEASURES[measure](draft) for draft in drafts], dtype=np.float64)


def _below(values: NDArray[np.float64], share: float) -> float:
    """Highest number that at most ``share`` of the ascending ``values`` do not exceed."""
    count = math.floor(share * len(values) + 1e-9)
    if count == 0:
        return -math.inf
    if count == len(values):
        return float(values[-1])
    inside = values[values < values[count]]  # equal uncertainties are skipped together or not at all
    return float(inside[-1]) if inside.size else -math.inf
