"""From scores per item to a table: interval for each system, difference to a baseline, paired test against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.intervals import (
    Interval,
    bootstrap_means,
    checked,
    holm,
    mean,
    paired_randomisation,
    percentile_interval,
)
from evaluation.macro import equal_size, macro_mean, macro_means, paired_macro_randomisation
from evaluation.report import Row, Table
from indexes.errors import InputError

SystemScores = Mapping[str, ArrayLike]
"""Measure name to one number from 0 to 1 for each item, the same items in the same order for all systems."""

Arrays = dict[str, dict[str, NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class _Estimate:
    """A mean of n independent scores with its bootstrap draws, which are the same for all systems: differences are paired."""

    value: float
    draws: NDArray[np.float64]
    n: int

    @property
    def interval(self) -> Interval:
        return percentile_interval(self.value, self.draws, n=self.n)

    def minus(self, other: _Estimate) -> Interval:
        return percentile_interval(self.value - other.value, self.draws - other.draws)


_Estimates = Mapping[str, Mapping[str, _Estimate]]


def compare(
    title: str,
    systems: Mapping[str, SystemScores],
    *,
    baseline: str = "",
    seed: int = 0,
    resamples: int = 10_000,
    notes: Sequence[str] = (),
    clusters: Sequence[str] | None = None,
) -> Table:
    """Mean and 95 % bootstrap interval of each system and measure; difference and p value against the baseline.

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
    clusters
        The cluster of each item, such as the conversation of a turn, where the items of one are not independent: whole
        clusters are resampled, and their signs flipped together. The means are over the items all the same.

    Raises
    ------
    InputError
        Where there is no system, or none has the baseline's name.
    ValueError
        Where systems differ in their measures or number of items, or there are not as many cluster names as items.
    """
    baseline = _baseline(list(systems), baseline)
    arrays = _arrays(systems)
    measures, n = _shape(arrays)
    draws = bootstrap_means(_columns(arrays, measures), resamples, np.random.default_rng(seed), clusters)
    values = {name: {measure: mean(scores[measure]) for measure in measures} for name, scores in arrays.items()}
    estimates = _estimates(values, draws, n if clusters is None else len(set(clusters)))
    p = {
        measure: holm(
            {
                name: paired_randomisation(scores[measure], arrays[baseline][measure], seed=seed, clusters=clusters)
                for name, scores in arrays.items()
                if name != baseline
            }
        )
        for measure in measures
    }
    method = [f"Means over n questions, with 95 % bootstrap percentile intervals ({resamples:,} resamples)."]
    if len(systems) > 1:
        method.append("p: two-sided paired randomisation test against the baseline (9,999 resamples), Holm-corrected.")
    if clusters is not None:
        method.append(f"Resampled, and signs flipped, by whole clusters of questions: {len(set(clusters))} of them.")
    return _table(title, measures, estimates, p, n, baseline, (*method, *notes))


def compare_macro(
    title: str,
    sets: Mapping[str, Mapping[str, SystemScores]],
    *,
    baseline: str = "",
    seed: int = 0,
    resamples: int = 10_000,
    notes: Sequence[str] = (),
) -> Table:
    """Like ``compare``, for the macro average over several sets; see ``evaluation.macro``.

    Parameters
    ----------
    sets
        Set name to system name to scores; every set has the same systems, with the same measures.

    Raises
    ------
    InputError
        Where there is no set, sets have different systems, or none has the baseline's name.
    ValueError
        Where systems differ in their measures, or in their number of items in a set.
    """
    names = _common_systems(sets)
    baseline = _baseline(names, baseline)
    arrays = {set_name: _arrays(systems) for set_name, systems in sets.items()}
    shapes = {set_name: _shape(systems) for set_name, systems in arrays.items()}
    measures = next(iter(shapes.values()))[0]
    by_set = {
        name: {m: {set_name: systems[name][m] for set_name, systems in arrays.items()} for m in measures}
        for name in names
    }
    columns = {set_name: _columns({n: systems[n] for n in names}, measures) for set_name, systems in arrays.items()}
    values = {name: {measure: macro_mean(scores[measure]) for measure in measures} for name, scores in by_set.items()}
    draws = macro_means(columns, resamples=resamples, seed=seed)
    estimates = _estimates(values, draws, equal_size(size for _, size in shapes.values()))
    p = {
        measure: holm(
            {
                name: paired_macro_randomisation(scores[measure], by_set[baseline][measure], seed=seed)
                for name, scores in by_set.items()
                if name != baseline
            }
        )
        for measure in measures
    }
    method = [
        f"Means of the means of {len(sets)} sets; 95 % bootstrap intervals ({resamples:,} resamples in each set)."
    ]
    if len(names) > 1:
        method.append("p: two-sided paired randomisation test within the sets (9,999 resamples), Holm-corrected.")
    n = sum(size for _, size in shapes.values())
    return _table(title, measures, estimates, p, n, baseline, (*method, *notes))


def _table(
    title: str,
    measures: tuple[str, ...],
    estimates: _Estimates,
    p: Mapping[str, Mapping[str, float]],
    n: int,
    baseline: str,
    notes: tuple[str, ...],
) -> Table:
    rows = []
    for name, found in estimates.items():
        compared = measures if name != baseline else ()
        rows.append(
            Row(
                name,
                n,
                {m: found[m].interval for m in measures},
                {m: p[m][name] for m in compared},
                {m: found[m].minus(estimates[baseline][m]) for m in compared},
            )
        )
    return Table(title, measures, tuple(rows), baseline if len(rows) > 1 else "", notes)


def _columns(arrays: Arrays, measures: Sequence[str]) -> NDArray[np.float64]:
    """``[n, systems * measures]``, the measures of a system side by side."""
    return np.stack([scores[measure] for scores in arrays.values() for measure in measures], axis=1)


def _estimates(values: Mapping[str, Mapping[str, float]], draws: NDArray[np.float64], n: int) -> _Estimates:
    """``draws`` has the columns of ``_columns``, in the same order."""
    columns = iter(draws.T)
    return {
        name: {measure: _Estimate(value, next(columns), n) for measure, value in found.items()}
        for name, found in values.items()
    }


def _baseline(names: Sequence[str], wanted: str) -> str:
    if not names:
        raise InputError("There is nothing to compare.", "Name at least one system.")
    if wanted and wanted not in names:
        raise InputError(f"There is no baseline {wanted!r}.", f"Choose one of: {', '.join(names)}.")
    return wanted or names[0]


def _common_systems(sets: Mapping[str, Mapping[str, SystemScores]]) -> list[str]:
    if not sets:
        raise InputError("There is nothing to compare.", "Name at least one set.")
    first, *others = sets
    for other in others:
        if set(sets[other]) != set(sets[first]):
            raise InputError(
                f"A macro average needs the same systems on every set: {first} has {', '.join(sets[first])}, "
                f"{other} has {', '.join(sets[other])}.",
                "Leave out the systems that were not measured on every set.",
            )
    return list(sets[first])


def _arrays(systems: Mapping[str, SystemScores]) -> Arrays:
    return {name: {m: checked(values) for m, values in scores.items()} for name, scores in systems.items()}


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
