"""Tables of measures on a page: as numbers with intervals and tests, and as a figure of one measure."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from app.chat.markup import element, text
from app.chat.panes import layout, plots
from evaluation.intervals import Interval, digits
from evaluation.report import Row, Table, marked, p_text

MARKS = "* p < 0.05, ** p < 0.01, *** p < 0.001."


def table(found: Table, *, caption: bool = True) -> str:
    """All measures of all systems: means above their intervals, and how each compares with the baseline."""
    header = ("system", "n", *found.measures)
    rows = [_row(found, row) for row in found.rows]
    return layout.table(header, rows, found.title if caption else "")


def differences(found: Table, measure: str) -> str:
    """One measure: each system's mean, its difference to the baseline, and the paired test."""
    header = ("system", "n", measure, f"difference to {found.baseline}", "p (Holm)")
    return layout.table(header, [_difference(found, row, measure) for row in found.rows], found.title)


def figure(tables: Sequence[Table], measure: str, *, difference: bool = False, key: str = "") -> None:
    """One measure of all systems with intervals; of several tables, each in a colour of its own."""
    several = len(tables) > 1
    rows = [
        plots.Mean(row.name, interval.value, interval.low, interval.high, each.title if several else "")
        for each in tables
        for row in each.rows
        if (interval := (row.difference if difference else row.values).get(measure)) is not None and _finite(interval)
    ]
    if rows:
        words = f"{measure}, difference to {tables[0].baseline}" if difference else measure
        st.vega_lite_chart(spec=plots.means(rows, words, zero=difference), width="stretch", key=key or None)


def _row(found: Table, row: Row) -> list[layout.Cell]:
    return [layout.name(found.label(row)), layout.number(f"{row.n:,}"), *(_mean(row, each) for each in found.measures)]


def _mean(row: Row, measure: str) -> layout.Cell:
    interval = row.values.get(measure)
    if interval is None:
        return layout.number("–")
    stars = marked(row.p[measure]) if measure in row.p else ""
    p = f"p {p_text(row.p[measure])}" if measure in row.p else ""
    above = text(digits(interval.value)) + (" " + element("span", "stars", stars, title=p) if stars else "")
    return "number", above + element("span", "range", text(interval.ends))


def _difference(found: Table, row: Row, measure: str) -> list[layout.Cell]:
    interval, compared = row.values.get(measure), measure in row.difference
    p = row.p.get(measure)
    stars = f" {marked(p)}" if p is not None and marked(p) else ""
    return [
        layout.name(found.label(row)),
        layout.number(f"{row.n:,}"),
        layout.number("–" if interval is None else str(interval)),
        layout.number(row.difference[measure].signed if compared else ""),
        layout.number("" if p is None else f"{p_text(p)}{stars}"),
    ]


def _finite(interval: Interval) -> bool:
    return all(map(math.isfinite, (interval.value, interval.low, interval.high)))
