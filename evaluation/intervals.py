"""How sure a mean is, and whether two systems differ: bootstrap interval, paired randomisation test, Holm's correction.

Where all values are equal, no resample differs, and the bootstrap's interval would be a point, as if one right answer
proved that all are right. There the interval is Wilson's if the values are all 0 or all 1, and else there is none.

All but Wilson's take a seed and work in blocks of bounded size (about 16 MiB), whatever the number of questions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexes.errors import InputError

BLOCK = 2**21
"""Numbers held at a time."""

ROUNDING = 1e-12
"""Quantiles that differ by no larger a part of themselves are equal numbers, summed in another order."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with the ends of its interval: a mean with a confidence interval, or a median with quartiles.

    The ends are NaN where there is no interval.
    """

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Plain JSON types; a number that is not finite becomes ``None``."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: number if math.isfinite(number) else None for name, number in numbers.items()}

    @property
    def has_ends(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def ends(self) -> str:
        """``[0.597, 0.691]``, or ``[–, –]`` where there is no interval."""
        return f"[{digits(self.low)}, {digits(self.high)}]"

    @property
    def signed(self) -> str:
        """As a difference, with three decimals: ``+0.031 [+0.002, +0.061]``."""
        value, low, high = (_signed(number) for number in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"

    def __str__(self) -> str:
        return f"{digits(self.value)} {self.ends}"


def bootstrap_interval(
    values: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int = 0,
    clusters: Sequence[str] | None = None,
    bounded: bool = True,
) -> Interval:
    """Mean and percentile bootstrap interval of the mean; of equal values, see ``percentile_interval``.

    Source: Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13; by clusters, see
    ``bootstrap_means``.

    Parameters
    ----------
    values
        One number for each question, shape ``(n,)``, n at least 1. The questions are taken as independent, or, with
        ``clusters``, the clusters are.
    level
        Confidence, between 0 and 1. Below some 20 questions the interval is known to be too narrow.
    resamples
        Draws of n questions, or of as many clusters as there are, with replacement.
    clusters
        The cluster of each question, n names, such as the conversation that a turn belongs to.
    bounded
        Whether the values lie between 0 and 1 by what they measure, as shares and scores do, and counts do not.

    Raises
    ------
    InputError
        Where there is no value, or one is not finite.
    ValueError
        Where there are not as many cluster names as values.
    """
    array = checked(values)
    draws = bootstrap_means(array, resamples, np.random.default_rng(seed), clusters)
    n = array.size if clusters is None else len(set(clusters))
    return percentile_interval(mean(array), draws, level=level, n=n if bounded else None)


def bootstrap_means(
    values: NDArray[np.float64],
    resamples: int,
    generator: np.random.Generator,
    clusters: Sequence[str] | None = None,
) -> NDArray[np.float64]:
    """Means of ``resamples`` draws with replacement, each of as many questions, or clusters, as are drawn from.

    Whole clusters are drawn where the questions within one are not independent (the pairs cluster bootstrap of Cameron,
    Gelbach and Miller, "Bootstrap-Based Improvements for Inference with Clustered Errors", Review of Economics and
    Statistics 90(3), 2008). The mean is over the questions drawn, so a large cluster weighs more than a small one.
    Below some 30 clusters the interval is known to be too narrow.

    Parameters
    ----------
    values
        Shape ``(n,)``, or ``(n, k)`` for k systems measured on the same questions: all are resampled by the same draws,
        so that the differences of their means are paired. Generators of one seed draw the same for all arrays of one n.
    clusters
        The cluster of each question, n names; what is drawn does not depend on the order of the questions.

    Returns
    -------
    array
        Shape ``(resamples,)`` or ``(resamples, k)``.

    Raises
    ------
    ValueError
        Where there are not n cluster names.
    """
    if clusters is None:
        sums, sizes = values, np.ones(len(values))
    else:
        sums, sizes = cluster_sums(values, clusters), cluster_sums(np.ones(len(values)), clusters)
    means = [_means(_counts(rows, len(sums), generator), sums, sizes) for rows in blocks(resamples, len(sums))]
    # Summing equal numbers in another order could move the last digit.
    constant = values.min(axis=0) == values.max(axis=0)
    return np.where(constant, values[0], np.concatenate(means))


def percentile_interval(
    value: float, draws: NDArray[np.float64], *, level: float = 0.95, n: int | None = None
) -> Interval:
    """``value`` between the quantiles of its bootstrap ``draws`` that leave out equal parts on both sides.

    Where these are equal, the ends are Wilson's or NaN. Wilson's, which is for shares, is never too narrow for other
    scores between 0 and 1: of those with a mean of m, a share of at least m is above 0.

    Parameters
    ----------
    draws
        Shape ``(resamples,)``.
    n
        Where ``value`` is the mean of numbers between 0 and 1: of how many independent ones.
    """
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    if high - low > ROUNDING * max(abs(low), abs(high)):
        return Interval(value, float(low), float(high))
    if n is not None and value in {0.0, 1.0}:
        return wilson(value * n, n, level=level)
    return Interval(value, math.nan, math.nan)


def wilson(successes: float, n: int, *, level: float = 0.95) -> Interval:
    """A share with its score interval (Wilson, "Probable Inference", JASA 1927), sound for few items, and at 0 and 1.

    Parameters
    ----------
    successes
        Of the n items, at least one.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = successes / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Interval(share, 0.0 if successes == 0 else middle - half, 1.0 if successes == n else middle + half)


def cluster_sums(values: NDArray[np.float64], clusters: Sequence[str]) -> NDArray[np.float64]:
    """The sum of each cluster's values, shape ``(clusters,)`` or ``(clusters, k)``, in the order of the clusters' names.

    Parameters
    ----------
    values
        Shape ``(n,)`` or ``(n, k)``.
    clusters
        The cluster of each value, n names.

    Raises
    ------
    ValueError
        Where there are not n names.
    """
    if len(clusters) != len(values):
        raise ValueError(f"{len(clusters)} cluster names for {len(values)} values: each value needs its cluster")
    names, places = np.unique(np.asarray(clusters, dtype=np.str_), return_inverse=True)
    sums = np.zeros((len(names), *values.shape[1:]))
    np.add.at(sums, places, values)
    return sums


def paired_randomisation(
    first: ArrayLike,
    second: ArrayLike,
    *,
    resamples: int = 9_999,
    seed: int = 0,
    clusters: Sequence[str] | None = None,
) -> float:
    """Two-sided p value of the paired randomisation test on the difference of means.

    Under the null hypothesis the two systems' scores of a question could be swapped: the sign of each difference is
    flipped at random. p = (1 + count of resamples at least as extreme) / (1 + resamples), which is never 0.
    Where questions come in clusters, all signs of a cluster are flipped together, which asks no independence within it.
    Sources: Smucker, Allan and Carterette, CIKM 2007; the 1 added: Phipson and Smyth, 2010 (arXiv 1603.05766); by
    clusters: Canay, Romano and Shaikh, "Randomization Tests under an Approximate Symmetry Assumption", Econometrica
    85(3), 2017.

    Parameters
    ----------
    first, second
        Scores of the same questions in the same order, shape ``(n,)``.
    clusters
        The cluster of each question, n names. Of c clusters that differ, no p value is below ``2 ** (1 - c)`` but by
        chance: five cannot show a difference at 0.05.

    Raises
    ------
    InputError
        Where there is no value, or one is not finite.
    ValueError
        Where the shapes differ, or there are not n cluster names.
    """
    one, two = checked(first), checked(second)
    if one.shape != two.shape:
        raise ValueError(f"{one.size} scores against {two.size}: a paired test needs the same questions")
    differences = one - two
    # Sums of the same numbers in another order differ in the last digits; these must count as equal.
    tolerance = 1e-9 * np.abs(differences).sum()
    if clusters is not None:
        differences = cluster_sums(differences, clusters)
    differences = differences[differences != 0]  # the sign of a zero changes nothing
    if differences.size == 0:
        return 1.0
    threshold = abs(differences.sum()) - tolerance
    generator = np.random.default_rng(seed)
    extreme = 0
    for rows in blocks(resamples, differences.size):
        signs = generator.integers(0, 2, size=(rows, differences.size), dtype=np.int8)
        sums = differences.sum() - 2.0 * (signs @ differences)
        extreme += int(np.count_nonzero(np.abs(sums) >= threshold))
    return (1 + extreme) / (1 + resamples)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """P values adjusted for being one family of tests.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics, 1979.
    The i-th smallest of m is multiplied by m - i + 1, then kept from falling below the one before, and cut at 1.

    Parameters
    ----------
    p_values
        Name of each test to its p value.

    Returns
    -------
    dict
        The same names, in the same order, to adjusted p values.
    """
    adjusted: dict[str, float] = {}
    running = 0.0
    for position, (name, p) in enumerate(sorted(p_values.items(), key=lambda pair: (pair[1], pair[0]))):
        running = max(running, min(1.0, (len(p_values) - position) * p))
        adjusted[name] = running
    return {name: adjusted[name] for name in p_values}


def quartiles(values: ArrayLike) -> Interval:
    """Median with the lower and upper quartile: a location with its spread, for times, which have long tails."""
    low, middle, high = np.quantile(checked(values), [0.25, 0.5, 0.75])
    return Interval(float(middle), float(low), float(high))


def digits(number: float) -> str:
    """Three decimals; two significant digits below 0.01; a dash for NaN."""
    if np.isnan(number):
        return "–"
    return f"{number:.3f}" if number == 0 or abs(number) >= 0.01 else f"{number:.2g}"


def _signed(number: float) -> str:
    if np.isnan(number):
        return digits(number)
    text = f"{number:+.3f}"
    return text[1:] if float(text) == 0 else text


def _counts(rows: int, size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """How often each of ``size`` items is drawn, in ``rows`` draws of ``size`` items each; shape ``(rows, size)``."""
    drawn = generator.integers(0, size, size=(rows, size), dtype=np.int32)
    cells = (drawn + np.arange(0, rows * size, size)[:, None]).ravel()
    del drawn  # each is as large as a block may be
    counts = np.bincount(cells, minlength=rows * size).reshape(rows, size)
    del cells
    return counts.astype(np.float64)


def _means(counts: NDArray[np.float64], sums: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each draw: shape ``(rows,)`` or ``(rows, k)`` for sums ``(items,)`` or ``(items, k)``."""
    return np.asarray(((counts @ sums).T / (counts @ sizes)).T)


def mean(values: NDArray[np.float64]) -> float:
    """Mean; of equal numbers that very number, which summing them could miss by the last digit."""
    return float(values[0] if values.min() == values.max() else values.mean())


def checked(values: ArrayLike) -> NDArray[np.float64]:
    """The values as an array, shape ``(n,)``; ``InputError`` where there is none, or one is not finite."""
    array = np.asarray(values, dtype=np.float64).ravel()
    if array.size == 0:
        raise InputError("There are no scores to average.", "Measure at least one question.")
    if not np.isfinite(array).all():
        raise InputError(
            f"{int((~np.isfinite(array)).sum())} of {array.size} scores are not finite numbers.",
            "Mend the measure that gave them: a question that failed scores 0.",
        )
    return array


def blocks(resamples: int, size: int) -> Iterator[int]:
    """How many resamples of ``size`` numbers to draw at a time; depends on nothing but the two, so seeds hold."""
    rows = max(1, BLOCK // size)
    for start in range(0, resamples, rows):
        yield min(rows, resamples - start)
