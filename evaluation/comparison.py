"""From scores per item to a table: interval for each system, paired test of each against a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.intervals import bootstrap_interval, holm, paired_randomisation
from evaluation.report import Row, Table
from indexes.errors import InputError

SystemScores = Mapping[str, ArrayLike]
"""Measure name to one number for each item, the same items in the same order for all systems."""

Arrays = dict[str, dict[str, NDArray[np.float64]]]


def compare(
    title: str,
    systems: Mapping[str, SystemScores],
    *,
    baseline: str = "",
    seed: int = 0,
    resamples: int = 10_000,
    notes: Sequence[str] = (),
) -> Table:
    """Mean and 95 % bootstrap interval of each system and measure, and p values against the baseline.

    All systems are resampled by the same draws. Holm's correction is applied within each measure, over the systems
    that are compared with the baseline.

    Parameters
    ----------
    systems
        System name to its scores; every system has the same measures and the same number of items.
    baseline
        Whom the others are compared with; by default the first system.
    resamples
        For the bootstrap; the test uses 9,999.

    Raises
    ------
    InputError
        Where there is no system, or none has the baseline's name.
    ValueError
        Where systems differ in their measures or number of items.
    """
    if not systems:
        raise InputError("There is nothing to compare.", "Name at least one system.")
    baseline = baseline or next(iter(systems))
    if baseline not in systems:
        raise InputError(f"There is no baseline {baseline!r}.", f"Choose one of: {', '.join(systems)}.")
    arrays = {name: {m: np.asarray(values, dtype=np.float64) for m, values in s.items()} for name, s in systems.items()}
    measures, n = _shape(arrays)
    p = {measure: _tests(arrays, baseline, measure, seed) for measure in measures}
    rows = tuple(
        Row(
            name,
            n,
            {m: bootstrap_interval(scores[m], seed=seed, resamples=resamples) for m in measures},
            {m: p[m][name] for m in measures if name != baseline},
        )
        for name, scores in arrays.items()
    )
    return Table(title, measures, rows, baseline if len(rows) > 1 else "", (*_method(len(rows), resamples), *notes))


def _shape(arrays: Arrays) -> tuple[tuple[str, ...], int]:
    """The measures and the number of items that all systems share."""
    first = next(iter(arrays.values()))
    measures, sizes = tuple(first), set()
    for scores in arrays.values():
        if set(scores) != set(measures):
            raise ValueError(f"systems have different measures: {sorted(scores)} and {sorted(measures)}")
        sizes |= {values.size for values in scores.values()}
    if len(sizes) != 1:
        raise ValueError(f"systems were measured on different numbers of items: {sorted(sizes)}")
    return measures, sizes.pop()


def _tests(arrays: Arrays, baseline: str, measure: str, seed: int) -> dict[str, float]:
    return holm(
        {
            name: paired_randomisation(scores[measure], arrays[baseline][measure], seed=seed)
            for name, scores in arrays.items()
            if name != baseline
        }
    )


def _method(systems: int, resamples: int) -> list[str]:
    notes = [f"Means over n questions, with 95 % bootstrap percentile intervals ({resamples:,} resamples)."]
    if systems > 1:
        notes.append("p: two-sided paired randomisation test against the baseline (9,999 resamples), Holm-corrected.")
    return notes
