"""How a table's rows are written: what stands between the cells, and whether quotation marks enclose them.

``csv.Sniffer`` takes letters for delimiters and needs time that grows with the square of the sample, and so is not used.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from indexes.readers import limits

DELIMITERS = ",;\t|"
_NONE = "\x1f"  # between the cells of a table that has one column
_DECLARED = re.compile(r"sep=([,;\t|:^~])\r?\n?\Z", re.IGNORECASE)
_LONGEST_CELL = 2 * limits.LONGEST_LINE
_MOST = 200  # rows of the sample that are looked at


@dataclass(frozen=True, slots=True)
class Dialect:
    """What ``csv.reader`` needs to know."""

    delimiter: str
    quoted: bool = True

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The lines' rows. How long a cell may be is for who gives the lines to say."""
        csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))  # of all csv readers, and so never lowered
        if self.quoted:
            return csv.reader(lines, delimiter=self.delimiter)
        return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)


def declared(line: str) -> str:
    """The delimiter that a first line ``sep=;`` names, as spreadsheets write it, else an empty string."""
    found = _DECLARED.match(line)
    return found[1] if found else ""


def sniffed(lines: Sequence[str], first: str = "") -> Dialect:
    """The dialect that gives most rows as many cells as the header.

    Parameters
    ----------
    lines
        The first lines of the table, from its header on.
    first
        The delimiter to prefer where two do as well: what the file's name or its first line says.
    """
    lines = [line for line in lines if line.strip()][:_MOST]
    order = [*first, *(each for each in DELIMITERS if each != first)]
    best = max((_fit(lines, delimiter), -at) for at, delimiter in enumerate(order))
    if not best[0][0]:
        return Dialect(_NONE)
    delimiter = order[-best[1]]
    return Dialect(delimiter, not _unquoted(lines, delimiter))


def _fit(lines: Sequence[str], delimiter: str) -> tuple[bool, float, int]:
    """Whether the header has several cells, the share of rows that have as many, and how many those are."""
    rows = list(Dialect(delimiter).rows(lines))
    width = len(rows[0]) if rows else 0
    if width < 2:
        return False, 0.0, 0
    return True, sum(len(row) == width for row in rows) / len(rows), width


def _unquoted(lines: Sequence[str], delimiter: str) -> bool:
    """Whether marks are only text: one opens and does not close in its line, though each line is a full row without it.

    Where commas stand between the cells, one that is properly enclosed says the opposite; TSV has no marks by its rules.
    """
    rows = [line.rstrip("\n").split(delimiter) for line in lines]
    marked = [cell for row in rows for cell in row if cell.startswith('"')]
    opens = any(cell.count('"') % 2 for cell in marked)
    encloses = any(len(cell) > 1 and cell.endswith('"') and not cell.count('"') % 2 for cell in marked)
    return opens and len({len(row) for row in rows}) == 1 and (delimiter == "\t" or not encloses)
