"""A forest plot: the difference of each system to the baseline on each set, with intervals, and the macro average."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evaluation.figures.axis import Axis
from evaluation.figures.svg import Canvas, shortened, text_width
from evaluation.report import Row, Table, marked, p_text
from evaluation.side_by_side import SideBySide

LINE, HEADING, GAP = 24, 26, 14
PLOT = 400
P_COLUMN = 250
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class _Line:
    """One thing to draw, at a height."""

    y: float
    table: Table
    row: Row | None = None


def forest(found: SideBySide, measure: str) -> str:
    """Draw the differences in ``measure`` to the baseline: one row for each system and set, the macro average last.

    A filled mark is a significant difference (Holm-corrected p below 0.05), coloured by its direction; a hollow one is
    not. Intervals are those of the table (95 %).
    """
    lines = list(_lines(found))
    names = [row.name for _, row in ((line, line.row) for line in lines) if row is not None]
    left = 34 + min(260.0, max(map(text_width, [*names, "system"])))
    right = left + PLOT + 20
    top, bottom = 74.0, lines[-1].y + LINE
    differences = [line.row.difference[measure] for line in lines if line.row is not None]
    axis = Axis.around(
        [0.0, *(end for d in differences for end in (d.value, d.low, d.high))], left + 10, left + PLOT - 10
    )
    title = f"Difference in {measure} to {found.baseline}"
    canvas = Canvas(right + P_COLUMN + 40, bottom + 82, title, _described(found, measure))
    canvas.text(16, 28, title, "title")
    canvas.text(16, 48, "mean over the questions, with 95 % interval", "soft small")
    canvas.text(right, 60, "difference [95 % interval]", "soft small")
    canvas.text(right + P_COLUMN, 60, "p (Holm)", "soft small", "end")
    _axis(canvas, axis, top, bottom, f"difference in {measure}")
    for line in lines:
        if line.row is None:
            _heading(canvas, line)
    for line in lines:
        if line.row is not None:
            _row(canvas, axis, line.y, line.row, measure, (left, right), macro=line.table is found.macro)
    _legend(canvas, bottom + 64)
    return canvas.render()


def _lines(found: SideBySide) -> Iterator[_Line]:
    y = 74.0
    for table in found.tables:
        y += HEADING
        yield _Line(y, table)
        for row in table.rows:
            if row.name != found.baseline:
                y += LINE
                yield _Line(y, table, row)
        y += GAP


def _heading(canvas: Canvas, line: _Line) -> None:
    canvas.rectangle(8, line.y - 18, canvas.width - 16, HEADING, "band")
    n = line.table.rows[0].n
    name = shortened(line.table.title, canvas.width - 160)
    canvas.text(16, line.y, name, "strong")
    canvas.text(canvas.width - 16, line.y, f"n = {n:,}", "soft small", "end")


def _axis(canvas: Canvas, axis: Axis, top: float, bottom: float, words: str) -> None:
    for tick in axis.ticks:
        x = axis(tick)
        canvas.line((x, top + HEADING - 18), (x, bottom), "grid" if abs(tick) > 1e-9 else "zero")
        canvas.text(x, bottom + 18, axis.label(tick, sign=True), "soft small", "middle")
    canvas.line((axis.start, bottom), (axis.end, bottom))
    canvas.text((axis.start + axis.end) / 2, bottom + 38, words, "small", "middle")


def _row(
    canvas: Canvas, axis: Axis, y: float, row: Row, measure: str, sides: tuple[float, float], *, macro: bool
) -> None:
    left, right = sides
    difference, p = row.difference[measure], row.p[measure]
    style = "equal" if p >= SIGNIFICANT else "better" if difference.value > 0 else "worse"
    hint = f"{row.name}: {difference.signed}, p {p_text(p)}, n = {row.n}"
    middle = y - 4
    canvas.text(16, y, shortened(row.name, left - 22), "strong" if macro else "")
    if difference.has_ends:
        canvas.line((axis(difference.low), middle), (axis(difference.high), middle), style)
        for end in (difference.low, difference.high):
            canvas.line((axis(end), middle - 4), (axis(end), middle + 4), style)
    draw = canvas.diamond if macro else canvas.circle
    draw(axis(difference.value), middle, 6.5 if macro else 4.5, style, hint)
    weight = "strong" if macro else ""
    canvas.text(right, y, difference.signed.replace("-", "−"), weight)
    canvas.text(right + P_COLUMN, y, p_text(p), weight, "end")
    canvas.text(right + P_COLUMN + 6, y, marked(p), weight)


def _legend(canvas: Canvas, y: float) -> None:
    x = 16.0
    for style, words in (
        ("better", "significantly better"),
        ("worse", "significantly worse"),
        ("equal", "not significant (p ≥ 0.05)"),
    ):
        canvas.circle(x + 5, y - 4, 4.5, style)
        canvas.text(x + 16, y, words, "soft small")
        x += 40 + text_width(words, 11.5)
    canvas.diamond(x + 5, y - 4, 6, "equal")
    canvas.text(x + 18, y, "macro average", "soft small")


def _described(found: SideBySide, measure: str) -> str:
    parts = [
        f"{table.title}: {row.name} {row.difference[measure].signed}, p {p_text(row.p[measure])}"
        for table in found.tables
        for row in table.rows
        if row.name != found.baseline
    ]
    return "; ".join(parts)
