"""How sure a mean is, and whether two systems differ: bootstrap interval, paired randomisation test, Holm's correction.

All take a seed and work in blocks of bounded size (about 16 MiB), whatever the number of questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from indexes.errors import InputError

BLOCK = 2**21
"""Numbers held at a time."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A number with the ends of its interval: a mean with a confidence interval, or a median with quartiles."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """Plain JSON types."""
        return {"value": self.value, "low": self.low, "high": self.high}

    @property
    def ends(self) -> str:
        """``[0.597, 0.691]``."""
        return f"[{digits(self.low)}, {digits(self.high)}]"

    @property
    def signed(self) -> str:
        """As a difference, with three decimals: ``+0.031 [+0.002, +0.061]``."""
        value, low, high = (_signed(number) for number in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"

    def __str__(self) -> str:
        return f"{digits(self.value)} {self.ends}"


def bootstrap_interval(values: ArrayLike, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0) -> Interval:
    """Mean and percentile bootstrap interval of the mean.

    Source: Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13.

    Parameters
    ----------
    values
        One number for each question, shape ``(n,)``, n at least 1. The questions are taken as independent.
    level
        Confidence, between 0 and 1. Below some 20 questions the interval is known to be too narrow.
    resamples
        Draws of n questions with replacement.

    Raises
    ------
    InputError
        Where there is no value, or one is not finite.
    """
    array = checked(values)
    return percentile_interval(mean(array), bootstrap_means(array, resamples, np.random.default_rng(seed)), level=level)


def bootstrap_means(values: NDArray[np.float64], resamples: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Means of ``resamples`` draws with replacement, each as large as what is drawn from.

    Parameters
    ----------
    values
        Shape ``(n,)``, or ``(n, k)`` for k systems measured on the same questions: all are resampled by the same draws,
        so that the differences of their means are paired. Generators of one seed draw the same for all arrays of one n.

    Returns
    -------
    array
        Shape ``(resamples,)`` or ``(resamples, k)``.
    """
    size = len(values)
    means = []
    for rows in blocks(resamples, size):
        drawn = generator.integers(0, size, size=(rows, size), dtype=np.int32)
        cells = drawn + np.arange(0, rows * size, size)[:, None]
        counts = np.bincount(cells.ravel(), minlength=rows * size).reshape(rows, size)
        means.append(counts.astype(np.float64) @ values / size)
    # Summing equal numbers in another order could move the last digit.
    constant = values.min(axis=0) == values.max(axis=0)
    return np.where(constant, values[0], np.concatenate(means))


def percentile_interval(value: float, draws: NDArray[np.float64], *, level: float = 0.95) -> Interval:
    """``value`` between the quantiles of its bootstrap ``draws`` that leave out equal parts on both sides."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def paired_randomisation(first: ArrayLike, second: ArrayLike, *, resamples: int = 9_999, seed: int = 0) -> float:
    """Two-sided p value of the paired randomisation test on the difference of means.

    Under the null hypothesis the two systems' scores of a question could be swapped: the sign of each difference is
    flipped at random. p = (1 + count of resamples at least as extreme) / (1 + resamples), which is never 0.
    Sources: Smucker, Allan and Carterette, CIKM 2007; the 1 added: Phipson and Smyth, 2010 (arXiv 1603.05766).

    Parameters
    ----------
    first, second
        Scores of the same questions in the same order, shape ``(n,)``.

    Raises
    ------
    InputError
        Where there is no value, or one is not finite.
    ValueError
        Where the shapes differ.
    """
    one, two = checked(first), checked(second)
    if one.shape != two.shape:
        raise ValueError(f"{one.size} scores against {two.size}: a paired test needs the same questions")
    differences = one - two
    differences = differences[differences != 0]  # the sign of a zero changes nothing
    if differences.size == 0:
        return 1.0
    # Sums of the same numbers in another order differ in the last digits; these must count as equal.
    threshold = abs(differences.sum()) - 1e-9 * np.abs(differences).sum()
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
    text = f"{number:+.3f}"
    return text[1:] if float(text) == 0 else text


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
