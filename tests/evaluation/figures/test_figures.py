from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from evaluation.calibration import reliability
from evaluation.figures.diagram import reliability_diagram
from evaluation.figures.forest import forest
from evaluation.figures.page import page
from evaluation.figures.trade import Point, cost_quality, costs_of, frontier, spread
from evaluation.intervals import Interval
from evaluation.report import Row, Table
from evaluation.side_by_side import SideBySide
from evaluation.stored import Judged

SVG = "{http://www.w3.org/2000/svg}"


def table(title: str, *, cost: bool = True) -> Table:
    def row(name: str, value: float, p: float | None = None, spent: float = 0.0) -> Row:
        compared = {} if p is None else {"MAP": p}
        difference = {} if p is None else {"MAP": Interval(value - 0.5, value - 0.6, value - 0.4)}
        interval = Interval(value, value - 0.05, value + 0.05)
        return Row(name, 30, {"MAP": interval}, compared, difference, {"experts asked": spent} if cost else {})

    rows = (row("base", 0.5), row("better <&>", 0.7, 0.0004, 1.5), row("worse", 0.3, 0.02, 1.0), row("same", 0.5, 0.9))
    return Table(title, ("MAP",), rows, "base", ("A note.",))


FOUND = SideBySide(
    ("MAP",), "base", tuple((Judged(name, "test", name, 30), table(name)) for name in ("one", "two")), table("macro")
)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def shapes(svg: str, tag: str) -> list[tuple[str, str]]:
    root = ElementTree.fromstring(svg)
    return [
        (shape.get("class", ""), shape.findtext(f"{SVG}title", "")) for shape in root.iter(f"{SVG}{tag}") if len(shape)
    ]


def test_a_forest_has_a_row_for_each_system_and_set_and_the_macro_average_as_diamonds() -> None:
    svg = forest(FOUND, "MAP")
    written = texts(svg)
    assert written.count("better <&>") == 3
    assert "base" not in written
    assert [written.count(title) for title in ("one", "two", "macro")] == [1, 1, 1]
    assert written.count("n = 30") == 3
    assert written.count("+0.200 [+0.100, +0.300]") == 3
    assert "difference in MAP" in written
    assert [style for style, _ in shapes(svg, "circle")] == ["better", "worse", "equal"] * 2
    assert [style for style, _ in shapes(svg, "polygon")] == ["better", "worse", "equal"]
    assert written.count("***") == 3
    assert shapes(svg, "polygon")[0][1] == "better <&>: +0.200 [+0.100, +0.300], p < 0.001, n = 30"


def test_a_mean_without_an_interval_is_drawn_without_whiskers() -> None:
    none = float("nan")
    base = Row("base", 3, {"MAP": Interval(0.5, 0.4, 0.6)}, cost={"experts asked": 1.0})
    same = Row(
        "same", 3, {"MAP": Interval(0.5, none, none)}, {"MAP": 1.0}, {"MAP": Interval(0.0, none, none)}, base.cost
    )
    found = SideBySide(("MAP",), "base", (), Table("t", ("MAP",), (base, same), "base"))
    for svg in (forest(found, "MAP"), cost_quality(found.whole, "MAP", "experts asked")):
        assert "nan" not in svg
    assert "0.000 [–, –]" in texts(forest(found, "MAP"))


def test_a_higher_difference_stands_further_right() -> None:
    root = ElementTree.fromstring(forest(FOUND, "MAP"))
    x = [float(shape.get("cx", "")) for shape in root.iter(f"{SVG}circle") if len(shape)]
    assert x[0] > x[2] > x[1]


def test_a_reliability_diagram_shows_the_errors_the_counts_and_every_bin() -> None:
    draws = np.random.default_rng(0)
    chance = draws.random(300)
    found = reliability(chance, draws.random(300) < chance)
    svg = reliability_diagram(found, "router", "probability", "share right")
    written = " ".join(texts(svg))
    assert f"ECE {found.ece}" in written
    assert "n = 300, 10 bins" in written
    assert "probability" in texts(svg)
    assert len(shapes(svg, "circle")) == 10
    assert len(shapes(svg, "rect")) == len(found.histogram) == 20
    assert sum(found.histogram) == 300


def test_the_frontier_holds_what_nothing_equals_or_beats_in_both() -> None:
    points = [
        Point(name, cost, Interval(quality, quality, quality))
        for name, cost, quality in (("a", 1, 0.5), ("b", 2, 0.4), ("c", 2, 0.6), ("d", 3, 0.6), ("e", 0, 0.5))
    ]
    assert [point.name for point in frontier(points)] == ["e", "c"]


def test_cost_and_quality_are_drawn_for_systems_with_a_cost() -> None:
    svg = cost_quality(FOUND.whole, "MAP", "experts asked")
    assert [style for style, _ in shapes(svg, "circle")] == ["equal", "equal", "better", "base"]
    assert "experts asked, mean for a question" in texts(svg)
    assert costs_of(FOUND.whole) == ["experts asked"]
    assert costs_of(table("none", cost=False)) == []


@pytest.mark.parametrize("wanted", [[10.0, 10.0, 10.0], [0.0, 1.0, 99.0, 100.0], [100.0] * 5])
def test_labels_are_spread_in_order_and_within_the_ends(wanted: list[float]) -> None:
    placed = spread(wanted, 18, 0, 100)
    assert all(second - first >= 18 for first, second in pairwise(placed))
    assert placed[0] >= 0
    assert placed[-1] <= 100


def test_the_page_stands_alone_and_holds_every_figure_number_and_note() -> None:
    html = page(FOUND, [("Differences", [forest(FOUND, "MAP")])], ["a-folder"])
    assert html.count("<svg") == 1
    assert "better &lt;&amp;&gt;" in html
    assert "+0.200 [+0.100, +0.300], p &lt; 0.001 ***" in html
    assert "one, test split (n = 30)" in html
    assert "A note." in html
    assert "a-folder" in html
    for outside in ("src=", "href=", "<script", "url(", "@import"):
        assert outside not in html
