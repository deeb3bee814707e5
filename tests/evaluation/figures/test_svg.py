from __future__ import annotations

from xml.etree import ElementTree

from evaluation.figures.svg import Canvas, shortened, text_width

SVG = "{http://www.w3.org/2000/svg}"


def test_the_figure_is_xml_with_a_title_and_a_description() -> None:
    canvas = Canvas(100, 50, "a < b & c", 'says "so"')
    canvas.text(1, 2, "x < y")
    canvas.circle(5, 5, 2, "better", "5 & more")
    root = ElementTree.fromstring(canvas.render())
    assert root.get("role") == "img"
    assert [root.findtext(f"{SVG}{tag}") for tag in ("title", "desc", "text")] == ["a < b & c", 'says "so"', "x < y"]
    assert root.findtext(f"{SVG}circle/{SVG}title") == "5 & more"


def test_colours_follow_the_reader() -> None:
    assert "prefers-color-scheme: dark" in Canvas(1, 1, "t", "d").render()


def test_long_words_are_cut_with_an_ellipsis() -> None:
    assert shortened("short", 200) == "short"
    cut = shortened("legalbenchrag-contractnli and more", 100)
    assert cut.endswith("…")
    assert text_width(cut) <= 100
