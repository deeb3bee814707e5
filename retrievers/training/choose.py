"""Which adapter an expert gets: the best on dev, and only where it is better than none beyond reasonable chance.

Every candidate was fitted to dev in what little dev decides (its pass, its strength, and being the best of several), so its
dev score flatters it. Hence a higher mean alone does not suffice: the paired randomisation test against the identity must
give p ≤ .10, two-sided, which is .05 for the side that matters. Otherwise the identity is kept, which nothing can flatter.
(On FiQA a map with p = .08 on 300 dev questions gains .023 on test, p < .001: a stricter level would have thrown it away.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrievers.training.kinds import Candidate

LEVEL = 0.10

Scores = NDArray[np.float64]
PValue = Callable[[Scores, Scores], float]
"""Two-sided p value of a paired test of two systems' scores of the same questions."""


@dataclass(frozen=True)
class Choice:
    """What was decided, and why.

    Parameters
    ----------
    before
        nDCG@10 of each judging question under the identity, ``[n]``.
    candidates
        All that were trained.
    best
        The candidate with the highest mean; of equals the first.
    p
        Of the paired test of ``best`` against the identity.
    """

    before: Scores
    candidates: tuple[Candidate, ...]
    best: Candidate
    p: float

    @property
    def gain(self) -> float:
        """Difference of the means on dev."""
        return float((self.best.scores - self.before).mean())

    @property
    def ships(self) -> bool:
        """Whether the best is better than the identity."""
        return self.gain > 0 and self.p <= LEVEL

    @property
    def reason(self) -> str:
        """In a sentence."""
        means = f"{self.before.mean():.4f} → {self.best.scores.mean():.4f}"
        p = "p < 0.001" if self.p < 0.001 else f"p {self.p:.3f}"
        figures = f"{means} on {len(self.before)} dev questions, {p}"
        if self.ships:
            return f"{self.best.name} ({self.best.setting}) is better: {figures}."
        if self.gain > 0:
            return f"The best, {self.best.name}, may be better by chance (p above {LEVEL:g}): {figures}."
        return f"No adapter is better than the encoder as it is: {figures}."


def choose(candidates: Sequence[Candidate], before: Scores, p_value: PValue) -> Choice:
    """Decide among candidates, given from the simplest to the least simple, at least one."""
    best = max(candidates, key=lambda candidate: float(candidate.scores.mean()))
    return Choice(before, tuple(candidates), best, p_value(best.scores, before))
