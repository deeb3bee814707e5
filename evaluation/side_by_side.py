"""Stored runs side by side: one table for each set, and a macro average where there are several sets.

Runs are compared only where they were judged by the same questions and judgements; anything else is an error that names
the difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.comparison import compare, compare_macro
from evaluation.report import Table
from evaluation.stored import Judged, StoredRun
from indexes.errors import InputError

Scores = dict[str, dict[str, NDArray[np.float64]]]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """What a comparison of stored runs found.

    Parameters
    ----------
    measures
        Those that all runs have, in the order of the first.
    baseline
        The run that the others are compared with.
    sets
        What each table was judged by, and the table.
    macro
        Over the systems that were measured on every set; ``None`` for a single set.
    notes
        What was left out.
    """

    measures: tuple[str, ...]
    baseline: str
    sets: tuple[tuple[Judged, Table], ...]
    macro: Table | None
    notes: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables, the macro average last."""
        tables = tuple(table for _, table in self.sets)
        return tables if self.macro is None else (*tables, self.macro)

    @property
    def whole(self) -> Table:
        """The macro average, or the table of the only set."""
        return self.macro or self.sets[0][1]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "baseline": self.baseline,
            "measures": list(self.measures),
            "sets": [{"data": judged.to_dict(), **table.to_dict()} for judged, table in self.sets],
            "macro": None if self.macro is None else self.macro.to_dict(),
            "notes": list(self.notes),
        }


def side_by_side(
    runs: Sequence[StoredRun], *, baseline: str = "", seed: int = 0, resamples: int = 10_000
) -> SideBySide:
    """Compare stored runs with a baseline, set by set and in the macro average.

    Parameters
    ----------
    runs
        In the order of their rows. A name stands once on each set.
    baseline
        Name of the run that the others are compared with; by default the first.

    Raises
    ------
    InputError
        Where sets of one name differ, a name stands twice on a set, the baseline is missing on a set, or no measure is
        common to all.
    """
    if not runs:
        raise InputError("There is nothing to compare.", "Name at least one folder or run file.")
    baseline = baseline or runs[0].name
    grouped = _by_set(runs)
    _require_baseline(grouped, baseline)
    measures, notes = _common_measures(runs)
    scores = {judged: _scores(members, measures) for judged, members in grouped.items()}
    costs = {judged: {run.name: run.cost for run in members} for judged, members in grouped.items()}
    options: dict[str, Any] = {"baseline": baseline, "seed": seed, "resamples": resamples}
    sets = tuple(
        (judged, _with_cost(compare(judged.label, systems, **options), costs[judged]))
        for judged, systems in scores.items()
    )
    if len(sets) == 1:
        return SideBySide(measures, baseline, sets, None, notes)
    names, left_out = _everywhere(runs, grouped)
    by_label = {judged.label: {name: systems[name] for name in names} for judged, systems in scores.items()}
    macro = compare_macro(f"macro average of {len(sets)} sets", by_label, **options)
    mean_costs = {name: _mean_cost([found[name] for found in costs.values()]) for name in names}
    return SideBySide(measures, baseline, sets, _with_cost(macro, mean_costs), (*notes, *left_out))


def _by_set(runs: Sequence[StoredRun]) -> dict[Judged, list[StoredRun]]:
    """Runs by what they were judged by; the same judgements under two names are one set."""
    first: dict[str, StoredRun] = {}
    labels: dict[str, StoredRun] = {}
    grouped: dict[Judged, list[StoredRun]] = {}
    for run in runs:
        other = labels.setdefault(run.judged.label, run)
        if other.judged.sha256 != run.judged.sha256:
            raise _different(other, run)
        known = first.setdefault(run.judged.sha256, run)
        if set(known.questions) != set(run.questions):
            raise _different(known, run)
        members = grouped.setdefault(known.judged, [])
        twin = next((member for member in members if member.name == run.name), None)
        if twin is not None:
            raise InputError(
                f"Two runs on {run.judged.label} are named {run.name!r}: in {twin.source} and in {run.source}.",
                "Give them names: `symposia compare before=FOLDER after=FOLDER`.",
            )
        members.append(run)
    return grouped


def _different(one: StoredRun, two: StoredRun) -> InputError:
    common = len(set(one.questions) & set(two.questions))
    if common == len(one.questions) == len(two.questions):
        what = f"the same {common} questions, but other judgements or other words"
    else:
        what = f"{len(one.questions)} questions against {len(two.questions)}, of which {common} are in both"
    return InputError(
        f"{one.judged.label}, is not the same for {one.name} ({one.source}) and {two.name} ({two.source}): {what}.",
        "Evaluate both on the same files, split and number of questions; scores on different questions do not compare.",
    )


def _require_baseline(grouped: Mapping[Judged, Sequence[StoredRun]], baseline: str) -> None:
    lacking = {j.label: [run.name for run in members] for j, members in grouped.items() if baseline not in
               {run.name for run in members}}  # fmt: skip
    if not lacking:
        return
    names = dict.fromkeys(run.name for members in grouped.values() for run in members)
    if len(lacking) == len(grouped):
        raise InputError(f"There is no baseline {baseline!r}.", f"Choose one of: {', '.join(names)}.")
    having = ", ".join(repr(judged.label) for judged in grouped if judged.label not in lacking)
    there = "; ".join(f"on {label!r} there are {', '.join(members)}" for label, members in lacking.items())
    raise InputError(
        f"The baseline {baseline!r} was evaluated on {having} only; {there}.",
        "Runs over different questions do not compare: evaluate the baseline there, or choose another with --baseline.",
    )


def _common_measures(runs: Sequence[StoredRun]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    common = tuple(measure for measure in runs[0].values if all(measure in run.values for run in runs))
    every = dict.fromkeys(measure for run in runs for measure in run.values)
    if not common:
        raise InputError(
            f"No measure is common to all runs; there are {', '.join(every)}.", "Evaluate them again, all in one way."
        )
    left = [measure for measure in every if measure not in common]
    return common, (f"Not compared, since some runs lack them: {', '.join(left)}.",) if left else ()


def _scores(members: Sequence[StoredRun], measures: Sequence[str]) -> Scores:
    questions = members[0].questions
    ordered = {run.name: run.in_order(questions) for run in members}
    return {name: {measure: values[measure] for measure in measures} for name, values in ordered.items()}


def _everywhere(
    runs: Sequence[StoredRun], grouped: Mapping[Judged, Sequence[StoredRun]]
) -> tuple[list[str], tuple[str, ...]]:
    names = list(dict.fromkeys(run.name for run in runs))
    places = {
        name: [judged.label for judged, found in grouped.items() if name in {r.name for r in found}] for name in names
    }
    left_out = tuple(
        f"{name} is not in the macro average: it was evaluated on {len(found)} of {len(grouped)} sets."
        for name, found in places.items()
        if len(found) < len(grouped)
    )
    return [name for name in names if len(places[name]) == len(grouped)], left_out


def _with_cost(table: Table, costs: Mapping[str, Mapping[str, float]]) -> Table:
    return replace(table, rows=tuple(replace(row, cost=costs[row.name]) for row in table.rows))


def _mean_cost(costs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean over the sets of each kind of cost that was measured on all of them."""
    common = [kind for kind in costs[0] if all(kind in cost for cost in costs)]
    return {kind: float(np.mean([cost[kind] for cost in costs])) for kind in common}
