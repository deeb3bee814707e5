"""How far probabilities can be believed: expected calibration error, Brier score, and the bins of a reliability diagram.

The bins hold equally many items each (Nguyen and O'Connor, "Posterior calibration and exploratory analysis for natural
language processing models", EMNLP 2015), which biases the error less than bins of equal width do (Roelofs et al.,
"Mitigating Bias in Calibration Error Estimation", AISTATS 2022).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.files import json_lines, malformed, write_lines
from evaluation.intervals import Interval, blocks, bootstrap_interval, checked, wilson
from indexes.errors import InputError

BINS = 10
PARTS = 20
FILE = "calibration.jsonl"


@dataclass(frozen=True, slots=True)
class Bin:
    """Items of similar probability: their number, their mean probability, and the share of them that came true."""

    n: int
    probability: float
    observed: Interval

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"n": self.n, "probability": self.probability, "observed": self.observed.to_dict()}


@dataclass(frozen=True, slots=True)
class Reliability:
    """What a reliability diagram shows, and its two summaries.

    Parameters
    ----------
    n
        Number of probabilities.
    ece
        Expected calibration error, 0 to 1: mean over the items of |observed share - mean probability| of their bin
        (Naeini, Cooper and Hauskrecht, AAAI 2015).
    brier
        Mean squared difference of probability and outcome, 0 to 1 (Brier, Monthly Weather Review, 1950).
    bins
        By rising probability.
    histogram
        How many probabilities lie in each of 20 equal parts of 0 to 1.
    """

    n: int
    ece: Interval
    brier: Interval
    bins: tuple[Bin, ...]
    histogram: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "n": self.n,
            "ece": self.ece.to_dict(),
            "brier": self.brier.to_dict(),
            "bins": [each.to_dict() for each in self.bins],
            "histogram": list(self.histogram),
        }


def reliability(
    probabilities: ArrayLike, outcomes: ArrayLike, *, bins: int = BINS, resamples: int = 2_000, seed: int = 0
) -> Reliability:
    """Compare probabilities with what happened.

    The estimate of ``ece`` lies too high on few items, and its bootstrap copies lie higher still, which the basic
    bootstrap interval takes back (Davison and Hinkley, 1997, section 5.2; the bins are held fixed). It is widened to
    hold the estimate, and to hold 0 where perfect probabilities would show as large an error in more than 5 % of cases
    (consistency resampling: Bröcker and Smith, Weather and Forecasting, 2007). Intervals of bins are Wilson's.

    Parameters
    ----------
    probabilities
        Shape ``(n,)``, each from 0 to 1.
    outcomes
        Whether each came true: 0 or 1, or false or true, shape ``(n,)``.
    bins
        How many, at most: items of one probability are never parted, and a bin is never empty.

    Raises
    ------
    InputError
        Where there is no item, or a probability is not between 0 and 1.
    ValueError
        Where the shapes differ.
    """
    chance, true = _probabilities(probabilities), checked(outcomes)
    if chance.shape != true.shape:
        raise ValueError(f"{chance.size} probabilities and {true.size} outcomes")
    places = equal_mass(chance, bins)
    found = tuple(_bin(chance[places == place], true[places == place]) for place in range(int(places.max()) + 1))
    value = sum(each.n * abs(each.observed.value - each.probability) for each in found) / chance.size
    ece = _ece_interval(value, chance, true, places, resamples, seed)
    counts, _ = np.histogram(chance, bins=PARTS, range=(0.0, 1.0))
    brier = bootstrap_interval((true - chance) ** 2, resamples=resamples, seed=seed)
    return Reliability(chance.size, ece, brier, found, tuple(map(int, counts)))


def equal_mass(values: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The bin, from 0, of each value: about equally many in each, equal values together, no bin empty."""
    ordered = np.sort(values)
    edges = np.unique(ordered[[place * values.size // bins for place in range(1, bins)]])
    edges = edges[edges > ordered[0]]
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def read_calibration(path: Path) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Probabilities and outcomes of each run in a file of ``{"run", "probability", "relevant"}`` lines.

    ``run`` may be absent, which stands for the empty name.

    Raises
    ------
    InputError
        For a line without a probability from 0 to 1 and a ``relevant`` of true, false, 1 or 0.
    """
    pairs: dict[str, list[tuple[float, float]]] = {}
    for number, record in json_lines(path):
        probability, relevant = record.get("probability"), record.get("relevant")
        if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
            raise malformed(path, number, f"the probability is {probability!r}", "It must be a number from 0 to 1.")
        if relevant not in (0, 1):
            raise malformed(path, number, f"relevant is {relevant!r}", "It must be true or false.")
        pairs.setdefault(str(record.get("run", "")), []).append((float(probability), float(relevant)))
    return {run: (np.array(found)[:, 0], np.array(found)[:, 1]) for run, found in pairs.items()}


def write_calibration(path: Path, runs: Mapping[str, Iterable[tuple[float, bool]]]) -> None:
    """Write ``(probability, relevant)`` pairs of each run, to be read by ``read_calibration``."""
    write_lines(
        path,
        (
            json.dumps({"run": run, "probability": float(probability), "relevant": bool(relevant)}, ensure_ascii=False)
            for run, pairs in runs.items()
            for probability, relevant in pairs
        ),
    )


def _probabilities(values: ArrayLike) -> NDArray[np.float64]:
    array = checked(values)
    outside = array[(array < 0) | (array > 1)]
    if outside.size:
        raise InputError(
            f"{outside.size} of {array.size} probabilities are not between 0 and 1; the first is {outside[0]}.",
            "Give probabilities, not scores: calibrate them first.",
        )
    return array


def _bin(chance: NDArray[np.float64], true: NDArray[np.float64]) -> Bin:
    return Bin(chance.size, float(chance.mean()), wilson(float(true.sum()), chance.size))


def _ece_interval(
    value: float,
    chance: NDArray[np.float64],
    true: NDArray[np.float64],
    places: NDArray[np.int64],
    resamples: int,
    seed: int,
) -> Interval:
    generator = np.random.default_rng(seed)
    copies, perfect = [], []
    for rows in blocks(resamples, chance.size):
        drawn = generator.integers(0, chance.size, size=(rows, chance.size), dtype=np.int32)
        copies.append(_errors((true - chance)[drawn], places[drawn]))
        outcomes = generator.random((rows, chance.size)) < chance
        perfect.append(_errors(outcomes - chance, np.broadcast_to(places, outcomes.shape)))
    low, high = 2 * value - np.quantile(np.concatenate(copies), [0.975, 0.025])
    if value <= np.quantile(np.concatenate(perfect), 0.95):
        low = 0.0
    return Interval(value, float(min(max(low, 0.0), value)), float(max(min(high, 1.0), value)))


def _errors(residuals: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """The calibration error of each row of outcome minus probability, ``[rows, n]``, in the bins ``[rows, n]``."""
    rows, n = residuals.shape
    bins = int(places.max()) + 1
    cells = places + bins * np.arange(rows)[:, None]
    sums = np.bincount(cells.ravel(), weights=residuals.ravel(), minlength=rows * bins)
    errors: NDArray[np.float64] = np.abs(sums.reshape(rows, bins)).sum(axis=1) / n
    return errors
