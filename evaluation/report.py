"""What flows out of this room: a table of systems and measures, each number with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.intervals import Interval, digits


@dataclass(frozen=True, slots=True)
class Row:
    """One system's results.

    Parameters
    ----------
    name
        The system.
    n
        How many questions its means are over.
    values
        Measure name to number and interval. A measure that does not apply to this system is absent.
    p
        Measure name to the p value of the paired test against the table's baseline, after Holm's correction over the
        other systems. Empty for the baseline itself.
    """

    name: str
    n: int
    values: Mapping[str, Interval]
    p: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; a number that is not finite becomes ``None``."""
        return {
            "name": self.name,
            "n": self.n,
            "values": {
                measure: {end: number if math.isfinite(number) else None for end, number in value.to_dict().items()}
                for measure, value in self.values.items()
            },
            "p": dict(self.p),
        }

    def cell(self, measure: str) -> str:
        """``0.645 [0.597, 0.691], p 0.012``, or a dash where there is no value."""
        if measure not in self.values:
            return "–"
        p = f", p {_p_text(self.p[measure])}" if measure in self.p else ""
        return f"{self.values[measure]}{p}"


@dataclass(frozen=True, slots=True)
class Table:
    """Systems by measures.

    Parameters
    ----------
    title
        What was measured, on what.
    measures
        The columns, in order.
    rows
        The systems, in order.
    baseline
        Name of the row that the p values compare with, or empty.
    notes
        What a reader must know: what the intervals are, which questions had no result.
    """

    title: str
    measures: tuple[str, ...]
    rows: tuple[Row, ...]
    baseline: str = ""
    notes: tuple[str, ...] = ()

    def row(self, name: str) -> Row:
        """The row of that name; ``KeyError`` where there is none."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "title": self.title,
            "measures": list(self.measures),
            "baseline": self.baseline,
            "rows": [row.to_dict() for row in self.rows],
            "notes": list(self.notes),
        }

    def to_markdown(self) -> str:
        """A Markdown table under its title, the notes below as a list."""
        lines = [f"**{self.title}**", "", _markdown_row(["system", "n", *self.measures])]
        lines.append("|---|--:|" + "---|" * len(self.measures))
        for row in self.rows:
            name = f"{row.name} (baseline)" if row.name == self.baseline else row.name
            lines.append(_markdown_row([name, str(row.n), *(row.cell(measure) for measure in self.measures)]))
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines)


def _markdown_row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _p_text(p: float) -> str:
    return "< 0.001" if p < 0.001 else digits(p)
