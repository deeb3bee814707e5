"""The benchmark's outcome as tables for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app.bench.retrieval.arms import MEASURE
from app.bench.retrieval.run import BASE, OURS
from evaluation.report import p_text

if TYPE_CHECKING:
    from app.bench.retrieval.run import Outcome
    from app.cli.output import Output


def show(outcome: Outcome, output: Output) -> None:
    """Print a table of quality, one of routing, and what else must be known."""
    sets = list(outcome.by_set[OURS])
    rows = []
    for row in outcome.table.rows:
        gain = outcome.to_base.row(row.name).difference.get(MEASURE)
        rows.append(
            (
                row.name,
                *(f"{100 * outcome.by_set[row.name][name]:.1f}" for name in sets),
                _points(row.values[MEASURE].value, row.values[MEASURE].low, row.values[MEASURE].high),
                "–" if gain is None else _points(gain.value, gain.low, gain.high, sign=True),
                p_text(row.p[MEASURE]) if MEASURE in row.p else "–",
            )
        )
    total = outcome.table.rows[0].n
    title = f"nDCG@10 x 100 over the pool of {len(sets)} sets, n = {total} test questions"
    output.table(("system", *sets, "macro", f"against {BASE}", "p to ours"), rows, title=title)
    routes = [
        (
            name,
            str(summary.accuracy),
            str(summary.coverage),
            str(summary.asked),
            str(summary.values.get("ECE", "–")),
            f"{outcome.milliseconds[name]:.1f}",
        )
        for name, summary in outcome.routing.items()
    ]
    others = [
        (name, "–", "–", "–", "–", f"{value:.1f}")
        for name, value in outcome.milliseconds.items()
        if name not in outcome.routing
    ]
    header = ("system", "right expert first", "right expert asked", "experts asked", "ECE", "CPU ms a question")
    output.table(header, [*others, *routes], title="routing and cost")
    if outcome.language is not None:
        rows = [(row.name, str(row.n), row.cell(MEASURE)) for row in outcome.language.rows]
        output.table(("system", "n", MEASURE), rows, title=outcome.language.title)
    for note in (*outcome.notes, *outcome.table.notes):
        output.show(note)


def _points(value: float, low: float, high: float, *, sign: bool = False) -> str:
    number = "{:+.1f}" if sign else "{:.1f}"
    ends = ("–" if math.isnan(end) else number.format(100 * end) for end in (low, high))
    return f"{number.format(100 * value)} [{', '.join(ends)}]"
