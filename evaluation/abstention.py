"""How well a system knows when not to answer: risk against coverage, and how many unanswerable questions it refuses.

A system gives each question a score, higher for surer. Refusing all below a threshold leaves a share of the questions
answered, the coverage; the share of those that should not have been is the risk (El-Yaniv and Wiener, "On the Foundations of
Noise-free Selective Classification", JMLR 2010; Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks",
NeurIPS 2017). Equal scores are answered or refused together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.intervals import Interval, percentile_interval
from evaluation.report import Row, Table
from indexes.errors import InputError

FALSE_REFUSALS = 0.05
RISK = 0.1
AUROC, AURC = "AUROC", "AURC"
REFUSED = f"refused at {FALSE_REFUSALS:.0%} false, in hindsight"
COVERED = f"answered at {RISK:.0%} risk, in hindsight"
"""In hindsight: both thresholds are the best for the very questions that are counted, which flatters."""
MEASURES = (AUROC, AURC, REFUSED, COVERED)
RESAMPLES = 2000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curve:
    """Risk against coverage of one system, from the surest question to all of them.

    Parameters
    ----------
    thresholds
        The lowest score that is answered, falling, ``[k]``.
    coverage, risk
        Share of the questions answered there, and share of those that should not have been, ``[k]`` each.
    """

    thresholds: Floats
    coverage: Floats
    risk: Floats

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "thresholds": self.thresholds.tolist(),
            "coverage": self.coverage.tolist(),
            "risk": self.risk.tolist(),
        }


@dataclass(frozen=True, slots=True)
class _Counts:
    """Questions by distinct score, surest first: how many right to answer and how many wrong, ``[draws, k]`` each."""

    right: Floats
    wrong: Floats

    def auroc(self) -> Floats:
        """Chance that a question right to answer scores above one that is not, ties counting half."""
        above = np.cumsum(self.right, axis=1) - self.right / 2
        return np.asarray((above * self.wrong).sum(axis=1) / (self.right.sum(axis=1) * self.wrong.sum(axis=1)))

    def risk(self) -> tuple[Floats, Floats]:
        """Coverage and risk at each threshold."""
        answered = np.cumsum(self.right + self.wrong, axis=1)
        wrong = np.cumsum(self.wrong, axis=1)
        risk = np.divide(wrong, answered, out=np.zeros_like(wrong), where=answered > 0)
        return answered / answered[:, -1:], risk

    def aurc(self) -> Floats:
        """Mean risk over all coverages."""
        coverage, risk = self.risk()
        return np.asarray((np.diff(coverage, axis=1, prepend=0.0) * risk).sum(axis=1))

    def refused(self, false: float) -> Floats:
        """Largest share of the wrong ones below a threshold with at most a share ``false`` of the right ones below it."""
        right, wrong = _below(self.right), _below(self.wrong)
        fine = right <= false * right[:, :1] + 1e-9
        return np.asarray(np.where(fine, wrong, 0.0).max(axis=1) / wrong[:, 0])

    def covered(self, risk: float) -> Floats:
        """Largest coverage at which the risk is not above ``risk``."""
        coverage, found = self.risk()
        return np.asarray(np.where(found <= risk + 1e-9, coverage, 0.0).max(axis=1))

    def measures(self) -> dict[str, Floats]:
        """All of them, ``[draws]`` each."""
        return {
            AUROC: self.auroc(),
            AURC: self.aurc(),
            REFUSED: self.refused(FALSE_REFUSALS),
            COVERED: self.covered(RISK),
        }


def curve(scores: ArrayLike, right: ArrayLike) -> Curve:
    """Risk against coverage.

    Parameters
    ----------
    scores
        One for each question, higher for surer.
    right
        For each, whether it is right to answer it.

    Raises
    ------
    InputError
        Where there are no questions, or a score is not a number.
    """
    given, labels = _checked(scores, right, both=False)
    thresholds, groups = _groups(given)
    coverage, risk = _counts(labels[None], groups, len(thresholds)).risk()
    return Curve(thresholds, coverage[0], risk[0])


def auroc(scores: ArrayLike, right: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a question right to answer scores above one that is not.

    Raises
    ------
    InputError
        Where there are none of one kind.
    """
    given, labels = _checked(scores, right)
    thresholds, groups = _groups(given)
    return float(_counts(labels[None], groups, len(thresholds)).auroc()[0])


def abstention_table(
    title: str,
    right: ArrayLike,
    scores: Mapping[str, ArrayLike],
    *,
    baseline: str = "",
    seed: int = 0,
    resamples: int = RESAMPLES,
    notes: Sequence[str] = (),
) -> Table:
    """Compare systems on the same questions.

    Parameters
    ----------
    right
        For each question, whether it is right to answer it; some of both.
    scores
        System to one score for each question, higher for surer.
    baseline
        Whom the others are compared with; by default the first system.
    resamples, seed
        Of the bootstrap, which draws questions with replacement from either kind apart; all systems are drawn alike, so
        that differences are paired.

    Raises
    ------
    InputError
        No questions of one kind, no systems, a score that is not a number, or an unknown baseline.
    """
    first = baseline or next(iter(scores), "")
    if first not in scores:
        raise InputError(f"There is no system {first!r} to compare with.", f"Name one of: {', '.join(scores)}.")
    weights = _draws(_checked(scores[first], right)[1], resamples, seed)
    drawn = {name: _measured(values, right, weights) for name, values in scores.items()}
    rows = tuple(
        Row(
            name,
            weights.shape[1],
            {m: percentile_interval(float(found[m][0]), found[m][1:]) for m in MEASURES},
            difference={} if name == first else {m: _difference(found[m], drawn[first][m]) for m in MEASURES},
        )
        for name, found in drawn.items()
    )
    return Table(title, MEASURES, rows, first, (*_notes(right, resamples, seed), *notes))


def _notes(right: ArrayLike, resamples: int, seed: int) -> tuple[str, ...]:
    labels = np.asarray(right, dtype=bool)
    return (
        f"{int(labels.sum())} questions are answerable, {int((~labels).sum())} are not.",
        (
            f"{AURC} is the mean risk over all coverages: lower is better. {REFUSED!r}: share of the unanswerable questions "
            f"refused where at most {FALSE_REFUSALS:.0%} of the answerable ones are. {COVERED!r}: share of all questions that can "
            f"be answered with at most {RISK:.0%} unanswerable ones among them; both at the best threshold, seen afterwards."
        ),
        (
            f"Intervals: 95 %, percentile bootstrap within either kind of question, {resamples} resamples, seed {seed}; "
            "all systems are drawn alike, so that differences are paired."
        ),
    )


def _measured(scores: ArrayLike, right: ArrayLike, weights: Floats) -> dict[str, Floats]:
    given, labels = _checked(scores, right)
    thresholds, groups = _groups(given)
    kinds = [_summed(weights * kind, groups, len(thresholds)) for kind in (labels, ~labels)]
    return _Counts(*kinds).measures()


def _difference(one: Floats, other: Floats) -> Interval:
    differences = one - other
    return percentile_interval(float(differences[0]), differences[1:])


def _draws(labels: NDArray[np.bool_], resamples: int, seed: int) -> Floats:
    """How often each question is drawn, ``[1 + resamples, n]``; the first row draws each once."""
    generator = np.random.default_rng(seed)
    weights = np.ones((1 + resamples, len(labels)))
    for kind in (labels, ~labels):
        size = int(kind.sum())
        weights[1:, kind] = generator.multinomial(size, np.full(size, 1 / size), size=resamples)
    return weights


def _groups(scores: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The distinct scores, falling ``[k]``, and for each question which of them is its own ``[n]``."""
    distinct, places = np.unique(-scores, return_inverse=True)
    return -distinct, places.reshape(-1)


def _counts(labels: NDArray[np.bool_], groups: NDArray[np.intp], size: int) -> _Counts:
    return _Counts(_summed(labels.astype(float), groups, size), _summed((~labels).astype(float), groups, size))


def _summed(values: Floats, groups: NDArray[np.intp], size: int) -> Floats:
    summed = np.zeros((len(values), size))
    for place in range(values.shape[1]):
        summed[:, groups[place]] += values[:, place]
    return summed


def _below(counts: Floats) -> Floats:
    """How many score below each threshold, after one place in front for all of them: ``[draws, 1 + k]``."""
    total = counts.sum(axis=1, keepdims=True)
    return np.concatenate([total, total - np.cumsum(counts, axis=1)], axis=1)


def _checked(scores: ArrayLike, right: ArrayLike, *, both: bool = True) -> tuple[Floats, NDArray[np.bool_]]:
    given, labels = np.asarray(scores, dtype=np.float64).ravel(), np.asarray(right, dtype=bool).ravel()
    if given.shape != labels.shape:
        raise ValueError(f"{given.size} scores for {labels.size} questions")
    if not given.size or not np.isfinite(given).all():
        raise InputError(
            f"{int((~np.isfinite(given)).sum())} of {given.size} scores are not finite numbers.",
            "Give at least one question, and a score for each.",
        )
    if both and labels.all() == labels.any():
        raise InputError(
            f"All {labels.size} questions are {'answerable' if labels.all() else 'unanswerable'}.",
            "Give some of either kind.",
        )
    return given, labels
