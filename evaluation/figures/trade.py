"""A cost–quality curve: what each system costs against what it scores, and which are on the frontier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.figures.axis import Axis
from evaluation.figures.svg import Canvas, text_width
from evaluation.intervals import Interval, digits
from evaluation.report import Table

LEFT, TOP = 66.0, 70.0
WIDTH, HEIGHT = 480.0, 320.0
APART = 18.0


@dataclass(frozen=True, slots=True)
class Point:
    """A system in the plane."""

    name: str
    cost: float
    quality: Interval


def cost_quality(table: Table, measure: str, kind: str) -> str:
    """Draw the systems of ``table`` that have a cost of that kind, with the 95 % intervals of ``measure``.

    The frontier joins the systems that no other one equals or beats in both at once.
    """
    points = _points(table, measure, kind)
    title = f"{measure} against {kind}"
    labels = max(text_width(_label(point)) for point in points)
    canvas = Canvas(LEFT + WIDTH + 60 + labels, TOP + HEIGHT + 66, title, "; ".join(map(_words, points)))
    x = Axis.around([0.0, *(point.cost for point in points)], LEFT, LEFT + WIDTH)
    qualities = [point.quality for point in points]
    y = Axis.around([end for q in qualities for end in (q.value, q.low, q.high)], TOP + HEIGHT, TOP)
    canvas.text(16, 28, title, "title")
    canvas.text(
        16, 48, f"{table.title}, n = {table.rows[0].n:,}; bars: 95 % intervals; line: the frontier", "soft small"
    )
    _frame(canvas, x, y, f"{kind}, mean for a question", measure)
    _labels(canvas, x, y, points)
    best = frontier(points)
    canvas.path([(x(point.cost), y(point.quality.value)) for point in best], "better")
    for point in sorted(points, key=lambda point: (point.name == table.baseline, point in best)):  # these lie on top
        style = "base" if point.name == table.baseline else "better" if point in best else "equal"
        across = x(point.cost)
        if point.quality.has_ends:
            canvas.line((across, y(point.quality.low)), (across, y(point.quality.high)), style)
        canvas.circle(across, y(point.quality.value), 5, style, _words(point))
    return canvas.render()


def costs_of(table: Table) -> list[str]:
    """The kinds of cost that at least two of the table's systems have."""
    kinds = dict.fromkeys(kind for row in table.rows for kind in row.cost)
    return [kind for kind in kinds if sum(kind in row.cost for row in table.rows) > 1]


def frontier(points: Sequence[Point]) -> list[Point]:
    """By rising cost, those that no other point equals or beats in both cost and quality."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.quality.value, point.name)):
        if not best or point.quality.value > best[-1].quality.value:
            best.append(point)
    return best


def _points(table: Table, measure: str, kind: str) -> list[Point]:
    return [Point(row.name, row.cost[kind], row.values[measure]) for row in table.rows if kind in row.cost]


def _frame(canvas: Canvas, x: Axis, y: Axis, across: str, upwards: str) -> None:
    for tick in y.ticks:
        canvas.line((x.start, y(tick)), (x.end, y(tick)), "grid")
        canvas.text(x.start - 8, y(tick) + 4, y.label(tick), "soft small", "end")
    for tick in x.ticks:
        canvas.line((x(tick), y.start), (x(tick), y.start + 5))
        canvas.text(x(tick), y.start + 20, x.label(tick), "soft small", "middle")
    canvas.line((x.start, y.start), (x.end, y.start))
    canvas.text((x.start + x.end) / 2, y.start + 42, across, "small", "middle")
    canvas.text(20, (y.start + y.end) / 2, upwards, "small", "middle", turned=True)


def _labels(canvas: Canvas, x: Axis, y: Axis, points: Sequence[Point]) -> None:
    """Names in a column on the right, in the order of quality, each with a thin line to its point."""
    ordered = sorted(points, key=lambda point: (-point.quality.value, point.cost, point.name))
    heights = spread([y(point.quality.value) for point in ordered], APART, TOP, TOP + HEIGHT)
    for point, height in zip(ordered, heights, strict=True):
        middle = y(point.quality.value)
        column = x.end + 24
        canvas.path([(x(point.cost), middle), (x.end + 4, middle), (column - 4, height)], "grid")
        canvas.text(column, height + 4, _label(point))


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Heights near the wanted ones, which rise, at least ``apart`` from one another and within the ends if they fit."""
    placed: list[float] = []
    for height in wanted:
        placed.append(max(height, placed[-1] + apart if placed else low))
    limit = max(high, low + apart * (len(placed) - 1))
    for place in reversed(range(len(placed))):
        placed[place] = min(placed[place], limit)
        limit = placed[place] - apart
    return placed


def _label(point: Point) -> str:
    return f"{point.name}  {digits(point.quality.value)}"


def _words(point: Point) -> str:
    return f"{point.name}: {point.quality} at {point.cost:.3g}"
