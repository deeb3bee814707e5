"""Heads: what tells an expert's labelled questions from everything else on the panel.

Nothing is trained when experts come or go: the heads follow in closed form, in milliseconds, from what each expert keeps of
its own questions and passages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from retrievers.moments import Moments
from retrievers.profile import Profile

RIDGE = 3e-4


@dataclass(frozen=True, slots=True)
class Head:
    """A linear function of a question's base embedding: near 1 for questions like the expert's own, near -1 for others.

    Parameters
    ----------
    weights, bias
        ``[dimension]`` and a number.
    """

    weights: NDArray[np.float64]
    bias: float

    def score(self, question: Vectors) -> float:
        """Of one question ``[dimension]``."""
        return float(self.weights @ question) + self.bias


def heads(experts: Mapping[str, Profile]) -> dict[str, Head]:
    """A head for each expert that has labelled questions, where there is another expert.

    Regularised least squares (Rifkin, Yeo and Poggio 2003) of +1 for the expert's questions against -1 for the others'
    passages and questions. Both sides weigh the same, and on the other side every expert's passages and questions do.
    """
    names = sorted(experts)  # the order of a panel is no matter
    asked = {name: moments for name in names if (moments := experts[name].asked()) is not None}
    found = {name: Moments.of(experts[name].pilots.vectors) for name in names} if asked else {}
    heads = {}
    for name, own in asked.items():
        others = [found[other] for other in names if other != name]
        others += [asked[other] for other in asked if other != name]
        if others:
            heads[name] = _head(own, others)
    return heads


def _head(own: Moments, others: Sequence[Moments]) -> Head:
    against = np.mean([each.mean for each in others], axis=0)
    mean = (own.mean + against) / 2
    second = (own.second + np.mean([each.second for each in others], axis=0)) / 2
    covariance = second - np.outer(mean, mean)
    covariance[np.diag_indices_from(covariance)] += RIDGE
    weights = np.linalg.solve(covariance, (own.mean - against) / 2)
    return Head(weights, -float(weights @ mean))
