"""Figures as Vega-Lite specifications, which Streamlit draws in the browser, in the colours of its theme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from evaluation.abstention import Curve
    from evaluation.calibration import Reliability

Spec = dict[str, Any]
ROW = 32  # pixels of height for each row
AXIS = 60  # and for the axis below them
ACCENT = "#4f8fae"  # where no colours tell groups apart; seen on light and on dark
MOST = 400  # points of a curve that are drawn


class Mean(NamedTuple):
    """A number with the ends of its interval, to be drawn in a row of that name, in the colour of its group."""

    name: str
    value: float
    low: float
    high: float
    group: str = ""


def means(rows: Sequence[Mean], measure: str, *, zero: bool = False) -> Spec:
    """One row a system: a point at the mean and a line from end to end of its 95 % interval.

    Parameters
    ----------
    zero
        Draw a line at 0, for differences.
    """
    values = [row._asdict() for row in rows]
    grouped = any(row.group for row in rows)
    order = list(dict.fromkeys(row.name for row in rows))
    across: Spec = {"axis": {"labelLimit": 220, "title": None}, "type": "nominal"}
    y: Spec = {"field": "name", "sort": order, **across}
    encoding: Spec = {"y": y}
    if grouped:
        groups = list(dict.fromkeys(row.group for row in rows))
        encoding["color"] = {"field": "group", "type": "nominal", "sort": groups, "legend": _legend()}
        encoding["yOffset"] = {"field": "group", "sort": groups}
    scale = {"zero": False, "nice": True}
    colour = {} if grouped else {"color": ACCENT}
    tips = [
        {"field": "name", "title": "system"},
        *([{"field": "group", "title": "set"}] if grouped else []),
        *({"field": each, "format": ".3f"} for each in ("value", "low", "high")),
    ]
    low: Spec = {"field": "low", "type": "quantitative", "scale": scale, "title": measure}
    layers: list[Spec] = [
        {"mark": {"type": "rule", "strokeWidth": 2, **colour}, "encoding": {"x": low, "x2": {"field": "high"}}},
        {
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, **colour},
            "encoding": {"x": {"field": "value", "type": "quantitative", "title": measure}, "tooltip": tips},
        },
    ]
    if zero:
        dashed = {"type": "rule", "strokeDash": [4, 4], "color": "#888"}
        layers.insert(0, {"mark": dashed, "encoding": {"x": {"datum": 0}, "y": {}, "yOffset": {}, "color": {}}})
    per_row = ROW * max(1, len({row.group for row in rows}) * 0.6)
    return {
        "data": {"values": values},
        "height": round(per_row * len(order)) + AXIS + (AXIS if grouped else 0),
        "encoding": encoding,
        "layer": layers,
    }


def risk_coverage(curves: Mapping[str, Curve]) -> Spec:
    """Share of wrong answers among those given, as more of them are given."""
    values = [
        {"signal": name, "coverage": coverage, "risk": risk}
        for name, found in curves.items()
        for coverage, risk in _thinned(list(zip(found.coverage.tolist(), found.risk.tolist(), strict=True)))
    ]
    percent = {"format": "%"}
    return {
        "data": {"values": values},
        "height": 360,
        "mark": {"type": "line", "interpolate": "step-before", "point": len(values) < 40 * len(curves)},
        "encoding": {
            "x": {
                "field": "coverage",
                "type": "quantitative",
                "scale": {"domain": [0, 1]},
                "axis": percent,
                "title": "share of the answers that are given (coverage)",
            },
            "y": {
                "field": "risk",
                "type": "quantitative",
                "axis": percent,
                "title": "share wrong (risk)",
            },
            "color": {"field": "signal", "type": "nominal", "sort": list(curves), "legend": _legend()},
            "tooltip": [
                {"field": "signal"},
                {"field": "coverage", "format": ".1%"},
                {"field": "risk", "format": ".1%"},
            ],
        },
    }


def reliability(found: Reliability, promised: str, observed: str) -> Spec:
    """What was promised against what came true, over the diagonal; each point holds equally many items."""
    values = [
        {
            "promised": each.probability,
            "observed": each.observed.value,
            "low": each.observed.low,
            "high": each.observed.high,
            "n": each.n,
        }
        for each in found.bins
    ]
    x = {"field": "promised", "type": "quantitative", "scale": {"domain": [0, 1]}, "title": promised}
    y = {"field": "low", "type": "quantitative", "scale": {"domain": [0, 1]}, "title": observed}
    tips = [{"field": "n"}, *({"field": each, "format": ".3f"} for each in ("promised", "observed", "low", "high"))]
    diagonal = [{"promised": 0, "low": 0}, {"promised": 1, "low": 1}]
    return {
        "data": {"values": values},
        "height": 360,
        "layer": [
            {
                "data": {"values": diagonal},
                "mark": {"type": "line", "strokeDash": [4, 4], "color": "#888"},
                "encoding": {"x": x, "y": y},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 2, "color": ACCENT},
                "encoding": {"x": x, "y": y, "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "line", "color": ACCENT, "point": {"size": 70, "color": ACCENT}},
                "encoding": {"x": x, "y": {**y, "field": "observed"}, "tooltip": tips},
            },
        ],
    }


def _legend() -> Spec:
    return {"orient": "bottom", "title": None, "columns": 2, "labelLimit": 260}


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most so many points, the last among them."""
    step = -(-len(points) // MOST)
    return points if step <= 1 else [*points[:-1:step], points[-1]]
