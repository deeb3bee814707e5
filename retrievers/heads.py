"""Heads: what tells an expert's labelled questions from everything else on the panel, computed from pilots alone.

Nothing is trained when experts come or go: the heads follow from the pilots of the panel as it is, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from retrievers.profile import Profile

RIDGE = 1e-3


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
    """A head for each expert that has question pilots, where there is another expert.

    Regularised least squares (Rifkin, Yeo and Poggio 2003) of +1 for the expert's question pilots against -1 for the
    others' pilots of both kinds; both sides weigh the same.
    """
    found = {}
    for name, profile in experts.items():
        others = [experts[key] for key in sorted(experts) if key != name]  # the order of a panel is no matter
        if profile.questions is None or not len(profile.questions) or not others:
            continue
        against = [other.pilots.vectors for other in others]
        against += [other.questions for other in others if other.questions is not None]
        found[name] = _head(profile.questions, np.concatenate(against))
    return found


def _head(own: Vectors, others: Vectors) -> Head:
    rows = np.concatenate([own, others]).astype(np.float64)
    labels = np.concatenate([np.ones(len(own)), -np.ones(len(others))])
    share = np.concatenate([np.full(len(own), 0.5 / len(own)), np.full(len(others), 0.5 / len(others))])
    mean, middle = share @ rows, float(share @ labels)
    centred = rows - mean
    gram = (centred * share[:, None]).T @ centred
    gram[np.diag_indices_from(gram)] += RIDGE
    weights = np.linalg.solve(gram, (centred * share[:, None]).T @ (labels - middle))
    return Head(weights, middle - float(weights @ mean))
