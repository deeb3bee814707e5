"""Time per token of several systems, and its ratio to one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluation.intervals import Interval, bootstrap_means, percentile_interval, quartiles
from evaluation.report import Table

Costs = NDArray[np.float64]
"""Tokens and seconds of each answer, shape [n, 2], the same questions in the same order for all systems; 0 where unknown."""

NOTES = (
    "s/token: median over questions with quartiles. x: the same as a ratio to the reference on the same question.",
    "total x: ratio of all seconds to all tokens, with a 95 % bootstrap interval over questions.",
    "under-trust, over-trust, s/token and both x: less is better.",
)


def with_pace(
    table: Table, costs: Mapping[str, Costs], reference: str, *, seed: int = 0, resamples: int = 10_000
) -> Table:
    """The table with ``s/token``, ``x <reference>`` and ``total x <reference>`` for its rows; unchanged where nothing was timed.

    Parameters
    ----------
    costs
        For each row of the table, by its name.
    reference
        The row that the others are divided by, on the questions on which both were timed.
    """
    pace = {name: _pace(own, costs[reference], reference, seed, resamples) for name, own in costs.items()}
    timing = tuple(dict.fromkeys(measure for values in pace.values() for measure in values))
    if not timing:
        return table
    rows = tuple(replace(row, values={**row.values, **pace[row.name]}) for row in table.rows)
    notes = (*table.notes, *NOTES, f"Timed on {int(_timed(costs[reference]).sum())} questions.")
    return replace(table, measures=(*table.measures, *timing), rows=rows, notes=notes)


def _pace(own: Costs, reference: Costs, name: str, seed: int, resamples: int) -> dict[str, Interval]:
    found = {}
    if _timed(own).any():
        found["s/token"] = quartiles(_per_token(own[_timed(own)]))
    both = _timed(own) & _timed(reference)
    if both.any():
        found[f"x {name}"] = quartiles(_per_token(own[both]) / _per_token(reference[both]))
        found[f"total x {name}"] = _total_ratio(own[both], reference[both], seed, resamples)
    return found


def _timed(costs: Costs) -> NDArray[np.bool_]:
    return np.asarray((costs > 0).all(axis=1), dtype=np.bool_)


def _per_token(costs: Costs) -> NDArray[np.float64]:
    return np.asarray(costs[:, 1] / costs[:, 0], dtype=np.float64)


def _total_ratio(own: Costs, reference: Costs, seed: int, resamples: int) -> Interval:
    draws = bootstrap_means(np.concatenate([own, reference], axis=1), resamples, np.random.default_rng(seed))
    value = own[:, 1].sum() / own[:, 0].sum() / (reference[:, 1].sum() / reference[:, 0].sum())
    return percentile_interval(float(value), draws[:, 1] / draws[:, 0] / (draws[:, 3] / draws[:, 2]))
