"""Risk–coverage curves: what share of the answered questions should not have been, as more of them are answered."""

from __future__ import annotations

from collections.abc import Mapping

from evaluation.abstention import Curve
from evaluation.figures.axis import Axis
from evaluation.figures.svg import Canvas, shortened, text_width
from evaluation.figures.trade import spread

WIDTH, HEIGHT = 420.0, 300.0
LEFT, TOP = 66.0, 74.0
APART = 18.0
COLUMN = 26.0
STYLES = ("accent", "worse", "base", "grid", "equal")
OURS = "better"


def risk_coverage(curves: Mapping[str, Curve], title: str, ours: str = "", note: str = "") -> str:
    """Draw one curve for each system.

    Parameters
    ----------
    ours
        The system that is drawn last and stands out.
    note
        A line under the title.
    """
    labels = LEFT + WIDTH + COLUMN + max(text_width(name) for name in curves) + 20
    words = "; ".join(f"{name}: risk {found.risk[-1]:.3f} if all are answered" for name, found in curves.items())
    canvas = Canvas(labels, TOP + HEIGHT + 64, title, words)
    canvas.text(16, 28, shortened(title, labels - 32, 15.5), "title")
    canvas.text(16, 48, shortened(note, labels - 32, 11.5), "soft small")
    most = max(float(found.risk.max()) for found in curves.values())
    x = Axis(0, 1, LEFT, LEFT + WIDTH, 0.2)
    y = Axis.around([0.0, most], TOP + HEIGHT, TOP)
    _frame(canvas, x, y)
    others = [name for name in curves if name != ours]
    styles = dict(zip(others, STYLES * len(others), strict=False))
    for name in [*others, *([ours] if ours in curves else [])]:
        _draw(canvas, x, y, curves[name], styles.get(name, OURS))
    _names(canvas, y, curves, styles)
    return canvas.render()


def _frame(canvas: Canvas, x: Axis, y: Axis) -> None:
    for tick in y.ticks:
        canvas.line((x.start, y(tick)), (x.end, y(tick)), "grid")
        canvas.text(x.start - 8, y(tick) + 4, y.label(tick), "soft small", "end")
    for tick in x.ticks:
        canvas.line((x(tick), y.start), (x(tick), y.start + 5))
        canvas.text(x(tick), y.start + 20, x.label(tick), "soft small", "middle")
    canvas.line((x.start, y.start), (x.end, y.start))
    canvas.text((x.start + x.end) / 2, y.start + 42, "coverage: share of the questions answered", "small", "middle")
    canvas.text(20, (y.start + y.end) / 2, "risk: share of these that are unanswerable", "small", "middle", turned=True)


def _draw(canvas: Canvas, x: Axis, y: Axis, found: Curve, style: str) -> None:
    points = [(x(c), y(r)) for c, r in zip(found.coverage.tolist(), found.risk.tolist(), strict=True)]
    canvas.path([(x(0.0), points[0][1]), *points], style)


def _names(canvas: Canvas, y: Axis, curves: Mapping[str, Curve], styles: Mapping[str, str]) -> None:
    """Names in a column on the right, in the order of the curves at half of their coverage, each with a piece of its line."""
    middle = {name: _at(found, 0.5) for name, found in curves.items()}
    ordered = sorted(curves, key=lambda name: (-middle[name], name))
    heights = spread([y(middle[name]) for name in ordered], APART, TOP, TOP + HEIGHT)
    for name, height in zip(ordered, heights, strict=True):
        start = LEFT + WIDTH + COLUMN
        canvas.line((start - 18, height), (start - 4, height), styles.get(name, OURS))
        canvas.text(start, height + 4, name)


def _at(found: Curve, coverage: float) -> float:
    """The risk where that share is first answered."""
    return float(found.risk[int((found.coverage < coverage - 1e-9).sum())])
