from __future__ import annotations

from xml.etree import ElementTree

from evaluation.abstention import curve
from evaluation.figures.selective import risk_coverage

SVG = "{http://www.w3.org/2000/svg}"
RIGHT = [True, True, False, True, False]
CURVES = {
    "ours": curve([0.9, 0.8, 0.2, 0.7, 0.1], RIGHT),
    "rival <a>": curve([0.5, 0.4, 0.9, 0.3, 0.2], RIGHT),
}


def test_each_system_has_a_curve_and_its_name_and_ours_is_drawn_last() -> None:
    svg = ElementTree.fromstring(risk_coverage(CURVES, "A set", ours="ours", note="n = 5"))
    texts = [element.text for element in svg.iter(f"{SVG}text")]
    assert {"ours", "rival <a>", "A set", "n = 5"} <= set(texts)
    assert texts.index("rival <a>") < texts.index("ours")  # higher risk at half of the coverage
    assert [path.get("class") for path in svg.iter(f"{SVG}path")] == ["accent", "better"]


def test_a_curve_runs_over_the_whole_width_and_lower_risk_is_lower() -> None:
    svg = ElementTree.fromstring(risk_coverage(CURVES, "A set", ours="ours"))
    rival, ours = (path.get("d", "")[1:].split(" L") for path in svg.iter(f"{SVG}path"))
    assert ours[0].split()[0] == rival[0].split()[0] == "66.0"
    assert ours[-1] == rival[-1]  # all answered, the risk is the same
    assert float(ours[1].split()[1]) > float(rival[1].split()[1])  # further down


def test_a_risk_of_nothing_can_be_drawn() -> None:
    svg = risk_coverage({"one": curve([0.3, 0.2], [True, True])}, "All answerable")
    assert "risk 0.000 if all are answered" in svg
