"""A reliability diagram: what was promised against what came true."""

from __future__ import annotations

from evaluation.calibration import Bin, Reliability
from evaluation.figures.axis import Axis
from evaluation.figures.svg import Canvas, shortened
from evaluation.intervals import digits

SIDE = 300.0
LEFT, TOP = 66.0, 100.0
COUNTS = 46.0


def reliability_diagram(found: Reliability, title: str, promised: str, observed: str) -> str:
    """Draw the bins with their intervals over the diagonal, and below them how many probabilities lie where.

    Parameters
    ----------
    promised, observed
        Words for the axes: the probability of what, and the share of what.
    """
    width, height = LEFT + SIDE + 30, TOP + SIDE + COUNTS + 84
    summary = f"ECE {digits(found.ece.value)} {found.ece.ends}"
    second = f"Brier {digits(found.brier.value)}, n = {found.n:,}, {len(found.bins)} bins"
    canvas = Canvas(width, height, title, f"{summary}, {second}. " + "; ".join(map(_words, found.bins)))
    canvas.text(16, 28, shortened(title, width - 32, 15.5), "title")
    canvas.text(16, 48, summary, "small")
    canvas.text(16, 65, second, "soft small")
    canvas.text(16, 82, "dashed: comes true as promised; bars: 95 % intervals", "soft small")
    x, y = Axis(0, 1, LEFT, LEFT + SIDE, 0.2), Axis(0, 1, TOP + SIDE, TOP, 0.2)
    _frame(canvas, x, y, promised, observed)
    for each in found.bins:
        _point(canvas, x, y, each)
    canvas.path([(x(each.probability), y(each.observed.value)) for each in found.bins], "accent")
    _counts(canvas, x, found)
    return canvas.render()


def _frame(canvas: Canvas, x: Axis, y: Axis, promised: str, observed: str) -> None:
    for tick in x.ticks:
        canvas.line((x(tick), y.start), (x(tick), y.end), "grid")
        canvas.line((x.start, y(tick)), (x.end, y(tick)), "grid")
        canvas.text(x.start - 8, y(tick) + 4, y.label(tick), "soft small", "end")
        canvas.text(x(tick), y.start + COUNTS + 24, x.label(tick), "soft small", "middle")
    canvas.line((x.start, y.start), (x.end, y.end), "zero")
    canvas.line((x.start, y.start), (x.end, y.start))
    canvas.text((x.start + x.end) / 2, y.start + COUNTS + 46, promised, "small", "middle")
    canvas.text(22, (y.start + y.end) / 2, observed, "small", "middle", turned=True)


def _point(canvas: Canvas, x: Axis, y: Axis, each: Bin) -> None:
    across = x(each.probability)
    canvas.line((across, y(each.observed.low)), (across, y(each.observed.high)), "accent")
    canvas.circle(across, y(each.observed.value), 4, "accent", _words(each))


def _counts(canvas: Canvas, x: Axis, found: Reliability) -> None:
    """Below the diagram, how many probabilities lie where, on a scale of their own."""
    floor, most, parts = TOP + SIDE + COUNTS, max(found.histogram), len(found.histogram)
    for place, count in enumerate(found.histogram):
        height = (COUNTS - 14) * count / most
        left, right = x(place / parts), x((place + 1) / parts)
        hint = f"{count:,} probabilities from {place / parts:.2f} to {(place + 1) / parts:.2f}"
        canvas.rectangle(left + 1, floor - height, right - left - 2, height, "bar", hint)
    canvas.line((x.start, floor), (x.end, floor))
    canvas.text(x.start - 8, floor, "0", "soft small", "end")
    canvas.text(x.start - 8, floor - COUNTS + 24, f"{most:,}", "soft small", "end")


def _words(each: Bin) -> str:
    return f"promised {each.probability:.2f}, came true {each.observed.value:.2f} {each.observed.ends}, n = {each.n}"
