"""A canvas for small SVG figures: text stays text, colours follow the reader's light or dark scheme."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

STYLE = """
.figure { --ink: #1d2126; --soft: #5b6470; --grid: #e2e5ea; --paper: #ffffff; --better: #0a7157; --worse: #b3362b;
  --equal: #7b8491; --band: #f4f5f7; --accent: #2257a8; background: var(--paper);
  font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
@media (prefers-color-scheme: dark) { .figure { --ink: #e7eaee; --soft: #a3acb8; --grid: #343a43; --paper: #16191d;
  --better: #4cc8a3; --worse: #f0877b; --equal: #8d97a5; --band: #1e2227; --accent: #7fb0f5; } }
.figure text { fill: var(--ink); font-variant-numeric: tabular-nums; }
.figure .soft { fill: var(--soft); } .figure .small { font-size: 11.5px; } .figure .strong { font-weight: 600; }
.figure .title { font-size: 15px; font-weight: 600; }
.figure .grid { stroke: var(--grid); } .figure .axis { stroke: var(--soft); }
.figure .zero { stroke: var(--soft); stroke-dasharray: 3 3; } .figure .band { fill: var(--band); }
.figure .better { stroke: var(--better); fill: var(--better); } .figure .worse { stroke: var(--worse); fill: var(--worse); }
.figure .equal { stroke: var(--equal); fill: var(--paper); } .figure .accent { stroke: var(--accent); fill: var(--accent); }
.figure .base { stroke: var(--ink); fill: var(--ink); } .figure .bar { fill: var(--accent); opacity: .35; stroke: none; }
.figure line, .figure path { stroke-width: 1.5; } .figure .grid { stroke-width: 1; }
""".strip()

_WIDE = set("MWmw@%—")
_SLIM = set("ijltfI.,:;'|![]() 1")


class Canvas:
    """Collects shapes and gives the SVG.

    Parameters
    ----------
    width, height
        In pixels at the natural size; the figure scales with the width that it is given.
    title, description
        What a screen reader says. Both are part of the file and not drawn.
    """

    def __init__(self, width: float, height: float, title: str, description: str) -> None:
        self.width = width
        self.height = height
        self.title = title
        self.description = description
        self._shapes: list[str] = []

    def line(self, start: tuple[float, float], end: tuple[float, float], style: str = "axis") -> None:
        """A straight line."""
        (x1, y1), (x2, y2) = start, end
        self._add("line", style, {"x1": x1, "y1": y1, "x2": x2, "y2": y2})

    def rectangle(self, x: float, y: float, width: float, height: float, style: str, hint: str = "") -> None:
        """A rectangle; ``hint`` is shown when the mouse rests on it."""
        self._add("rect", style, {"x": x, "y": y, "width": max(0.0, width), "height": max(0.0, height)}, hint=hint)

    def circle(self, x: float, y: float, radius: float, style: str, hint: str = "") -> None:
        """A disc."""
        self._add("circle", style, {"cx": x, "cy": y, "r": radius}, hint=hint)

    def diamond(self, x: float, y: float, radius: float, style: str, hint: str = "") -> None:
        """A square on its corner, for averages."""
        corners = f"{x:.1f},{y - radius:.1f} {x + radius:.1f},{y:.1f} {x:.1f},{y + radius:.1f} {x - radius:.1f},{y:.1f}"
        self._add("polygon", style, {"points": corners}, hint=hint)

    def path(self, points: list[tuple[float, float]], style: str) -> None:
        """Straight lines from point to point."""
        route = "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._add("path", style, {"d": route, "style": "fill: none"})

    def text(
        self, x: float, y: float, words: str, style: str = "", anchor: str = "start", turned: bool = False
    ) -> None:
        """Words on a baseline at ``y``; ``anchor`` is start, middle or end; ``turned`` reads upwards."""
        turn = {"transform": f"rotate(-90 {x:.1f} {y:.1f})"} if turned else {}
        self._add("text", style, {"x": x, "y": y, "text-anchor": anchor, **turn}, escape(words, quote=False))

    def render(self) -> str:
        """The whole file, which can also stand inside a page."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" role="img" '
            f'viewBox="0 0 {self.width:.0f} {self.height:.0f}" width="{self.width:.0f}" height="{self.height:.0f}" '
            f'aria-label="{escape(self.title)}">'
        )
        words = f"<title>{escape(self.title)}</title><desc>{escape(self.description)}</desc>"
        paper = f'<rect width="{self.width:.0f}" height="{self.height:.0f}" style="fill: var(--paper)"/>'
        return "\n".join([head, words, f"<style>{STYLE}</style>", paper, *self._shapes, "</svg>\n"])

    def _add(self, tag: str, style: str, values: Mapping[str, float | str], inner: str = "", hint: str = "") -> None:
        written = " ".join(
            f'{key}="{escape(value) if isinstance(value, str) else f"{value:.1f}"}"' for key, value in values.items()
        )
        classes = f' class="{style}"' if style else ""
        inner = f"<title>{escape(hint)}</title>" if hint else inner
        self._shapes.append(f"<{tag}{classes} {written}>{inner}</{tag}>" if inner else f"<{tag}{classes} {written}/>")


def text_width(words: str, size: float = 13) -> float:
    """About how many pixels the words take: letters of a sans-serif font in three widths, rather too wide."""
    return sum(size * (0.92 if c in _WIDE else 0.36 if c in _SLIM else 0.6) for c in words)


def shortened(words: str, width: float, size: float = 13) -> str:
    """The words, cut with an ellipsis where they are wider than ``width`` pixels."""
    if text_width(words, size) <= width:
        return words
    while words and text_width(words + "…", size) > width:
        words = words[:-1]
    return words.rstrip() + "…"
