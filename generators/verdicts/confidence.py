"""Confidence: the probability that the sources answer a question, from what was measured on the way to the answer.

A logistic function of a few signals (Platt 1999; for language models' own estimates, Kadavath et al., arXiv 2207.05221,
and for retrieval beside them, Joren et al., "Sufficient Context", arXiv 2411.06037, section 5). Its weights are fitted on
development questions of several sets, answerable and not, and serve every panel; the threshold above which a panel
answers is fitted on its own questions (see ``generators.verdicts.calibrated_verdict``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexes.errors import InputError
from retrievers.evidence import Evidence

LARGEST_ODDS = 12.0
RIDGE = 1.0
ROUNDS, ENOUGH = 50, 1e-8

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weight:
    """What one signal adds to the log-odds: ``by · (value − typical)``; nothing where it was not measured."""

    by: float
    typical: float


@dataclass(frozen=True, slots=True)
class Confidence:
    """``P(the sources answer the question) = sigmoid(bias + Σ by · (value − typical))``.

    Parameters
    ----------
    bias
        Log-odds where every signal is typical.
    weights
        By signal.
    """

    bias: float
    weights: Mapping[str, Weight]

    def probability(self, measured: Mapping[str, float]) -> float:
        """The probability, 0 to 1.

        Parameters
        ----------
        measured
            Signals by name; those that are absent or NaN count as typical, others than the weights' are not read.
        """
        odds = self.bias
        for name, weight in self.weights.items():
            value = measured.get(name, math.nan)
            if not math.isnan(value):
                odds += weight.by * (value - weight.typical)
        return 1 / (1 + math.exp(-max(-LARGEST_ODDS, min(LARGEST_ODDS, odds))))


CONFIDENCE = Confidence(-1.489, {"relevance": Weight(1.100, -3.077)})
"""Of panels everywhere; ``symposia bench abstention --fit`` prints it again."""


def evidence_signals(evidence: Sequence[Evidence]) -> dict[str, float]:
    """What retrieval says: log-odds of relevance of the best evidence, and the share of the question's words that it covers.

    Without evidence there is the least of both.
    """
    if not evidence:
        return {"relevance": -LARGEST_ODDS, "coverage": 0.0}
    return {
        "relevance": max(log_odds(item.probability) for item in evidence),
        "coverage": max(item.scores.get("coverage", 0.0) for item in evidence),
    }


def log_odds(probability: float) -> float:
    """``log(p / (1 − p))``, within ±``LARGEST_ODDS``."""
    if probability <= 0:
        return -LARGEST_ODDS
    if probability >= 1:
        return LARGEST_ODDS
    return max(-LARGEST_ODDS, min(LARGEST_ODDS, math.log(probability) - math.log1p(-probability)))


def fit(
    measured: Sequence[Mapping[str, float]], right: ArrayLike, names: Sequence[str], weights: ArrayLike | None = None
) -> Confidence:
    """Logistic regression with a ridge of one standardised unit, by Newton's method.

    Parameters
    ----------
    measured
        Signals of each question; one that is absent or NaN counts as the mean of the others.
    right
        For each, whether the sources answer it.
    names
        The signals to use.
    weights
        How much each question counts; all the same by default.

    Raises
    ------
    InputError
        Where all questions are of one kind.
    """
    labels = np.asarray(right, dtype=np.float64)
    if not 0 < labels.sum() < len(labels):
        raise InputError(
            f"All {len(labels)} questions are of one kind.", "Give some that the sources answer, and some not."
        )
    values = np.array([[row.get(name, math.nan) for name in names] for row in measured], dtype=np.float64)
    counts = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    typical = np.nan_to_num(np.nanmean(values, axis=0))
    filled = np.where(np.isnan(values), typical, values)
    spread = np.maximum(filled.std(axis=0), 1e-9)
    found = _newton((filled - typical) / spread, labels, counts / counts.mean())
    kept = {name: Weight(float(found[1 + i] / spread[i]), float(typical[i])) for i, name in enumerate(names)}
    return Confidence(float(found[0]), kept)


def _newton(values: Floats, labels: Floats, counts: Floats) -> Floats:
    """Bias and weights of standardised ``values`` ``[n, k]``."""
    design = np.concatenate([np.ones((len(values), 1)), values], axis=1)
    ridge = np.diag([0.0, *[RIDGE] * values.shape[1]])
    found = np.zeros(design.shape[1])
    for _ in range(ROUNDS):
        chance = 0.5 * (1 + np.tanh(0.5 * design @ found))
        gradient = design.T @ (counts * (chance - labels)) + ridge @ found
        curvature = (design * (counts * chance * (1 - chance))[:, None]).T @ design + ridge + 1e-9 * np.eye(len(found))
        step = np.linalg.solve(curvature, gradient)
        found = found - step
        if np.abs(step).max() < ENOUGH:
            break
    return found
