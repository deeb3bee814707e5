"""What flows out of this room: a table of systems and measures, each number with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.intervals import Interval, digits

_ENDS = ("value", "low", "high")


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
    difference
        Measure name to the mean difference to the baseline, with its interval. Empty for the baseline itself.
    cost
        What a question costs, such as ``experts asked`` or ``CPU ms``: a mean for each kind.
    """

    name: str
    n: int
    values: Mapping[str, Interval]
    p: Mapping[str, float] = field(default_factory=dict)
    difference: Mapping[str, Interval] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; a number that is not finite becomes ``None``."""
        return {
            "name": self.name,
            "n": self.n,
            "values": _plain(self.values),
            "p": dict(self.p),
            "difference": _plain(self.difference),
            **({"cost": dict(self.cost)} if self.cost else {}),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Row:
        """Inverse of ``to_dict``; what is ``None`` there is not a number."""
        return cls(
            str(values["name"]),
            int(values["n"]),
            _intervals(values["values"]),
            {str(measure): float(p) for measure, p in values.get("p", {}).items()},
            _intervals(values.get("difference", {})),
            {str(kind): float(cost) for kind, cost in values.get("cost", {}).items() if cost is not None},
        )

    def cell(self, measure: str) -> str:
        """``0.645 [0.597, 0.691], p 0.012``, or a dash where there is no value."""
        if measure not in self.values:
            return "–"
        p = f", p {p_text(self.p[measure])}" if measure in self.p else ""
        return f"{self.values[measure]}{p}"

    def narrow_cell(self, measure: str) -> tuple[str, str]:
        """``cell`` in two lines: ``0.645 p=0.012`` and ``[0.597, 0.691]``."""
        if measure not in self.values:
            return "–", ""
        p = p_text(self.p[measure]).replace("< ", "<") if measure in self.p else ""
        mark = (" p" if p.startswith("<") else " p=") if p else ""
        return f"{digits(self.values[measure].value)}{mark}{p}", self.values[measure].ends


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

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Table:
        """Inverse of ``to_dict``."""
        return cls(
            str(values["title"]),
            tuple(map(str, values["measures"])),
            tuple(Row.from_dict(row) for row in values["rows"]),
            str(values.get("baseline", "")),
            tuple(map(str, values.get("notes", ()))),
        )

    def label(self, row: Row) -> str:
        """The row's name, with the word that it is the baseline."""
        return f"{row.name} (baseline)" if row.name == self.baseline else row.name

    def narrow(self) -> list[tuple[str, ...]]:
        """Rows for a screen of 100 columns, two for each system: means with p values, and below them the intervals."""
        lines = []
        for row in self.rows:
            cells = [row.narrow_cell(measure) for measure in self.measures]
            lines.append((self.label(row), str(row.n), *(above for above, _ in cells)))
            lines.append(("", "", *(below for _, below in cells)))
        return lines

    def to_markdown(self) -> str:
        """A Markdown table under its title, the notes below as a list."""
        lines = [f"**{self.title}**", "", _markdown_row(["system", "n", *self.measures])]
        lines.append("|---|--:|" + "---|" * len(self.measures))
        lines += [
            _markdown_row([self.label(row), str(row.n), *(row.cell(measure) for measure in self.measures)])
            for row in self.rows
        ]
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines)


def _markdown_row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def p_text(p: float) -> str:
    """Three decimals, two significant digits below 0.01, and ``< 0.001``."""
    return "< 0.001" if p < 0.001 else digits(p)


def marked(p: float) -> str:
    """``***`` below 0.001, ``**`` below 0.01, ``*`` below 0.05, else nothing."""
    return "*" * sum(p < level for level in (0.05, 0.01, 0.001))


def _plain(values: Mapping[str, Interval]) -> dict[str, dict[str, float | None]]:
    return {measure: value.to_dict() for measure, value in values.items()}


def _intervals(values: Mapping[str, Mapping[str, float | None]]) -> dict[str, Interval]:
    return {
        str(measure): Interval(*(math.nan if found[end] is None else float(found[end] or 0) for end in _ENDS))
        for measure, found in values.items()
    }
