"""The baseline of embedding similarity: a sentence cites the passages nearest to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from evaluation.citations import citation_score


@dataclass(frozen=True, slots=True)
class Cuts:
    """How many of a sentence's nearest passages are cited, at most, and how far below the nearest they may lie."""

    most: int
    lag: float


CUTS = Cuts(2, 0.2)
"""The best on HotpotQA's training questions; ``symposia bench citations --fit`` prints it."""


def similar(cosines: Sequence[Sequence[float]], cuts: Cuts = CUTS) -> list[int]:
    """Numbers of the passages that the sentences cite, from cosines ``[sentences, passages]``; ties by number."""
    cited: set[int] = set()
    for row in cosines:
        order = np.argsort(-np.asarray(row), kind="stable")[: cuts.most]
        cited |= {int(i) + 1 for i in order if row[i] >= max(row) - cuts.lag}
    return sorted(cited)


def tune(cosines: Sequence[Sequence[Sequence[float]]], gold: Sequence[frozenset[int]]) -> Cuts:
    """The cuts with the best mean F1 over answers; of equals the first, from few and near to many and far."""
    options = [Cuts(most, round(0.02 * step, 2)) for most, step in product((1, 2, 3), range(16))]
    means = [
        np.mean([citation_score(similar(each, cuts), wanted).f1 for each, wanted in zip(cosines, gold, strict=True)])
        for cuts in options
    ]
    return options[int(np.argmax(means))]
