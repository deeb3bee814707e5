"""CSV and TSV: a header, and a passage for each row."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from indexes.passage import Document
from indexes.readers import limits
from indexes.readers.columns import Columns
from indexes.readers.decode import newlines, not_encoded
from indexes.readers.dialect import Dialect, declared, sniffed
from indexes.readers.lines import numbered
from indexes.readers.opening import open_file
from indexes.readers.problem import OnProblem, Problem, uncarried
from indexes.readers.reports import RowReports
from indexes.readers.row import row_document

SAMPLE = 1 << 16
_FIX = "Mend or remove it; each row has as many cells as the header, and marks around a cell that holds line ends."
_HEADER = "Put the names of the columns into its first line, such as: id,title,text"
_EMPTY = "has no rows"
_LONGEST_NAME = 200
_UNREAD = f"is not valid UTF-8, or longer than {limits.LONGEST_LINE / 1e6:.0f} MB"
Line = tuple[int, str | None]


def read_table(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One whole document per row, read a row at a time.

    The header's names say which column is what (``indexes.readers.columns``); in a table without a column of text, the text
    of a row is ``name: value`` for each of its cells. Other columns are metadata. What stands between the cells is found
    out. Bad rows are left out; the first ten are reported one by one, the others counted.
    """
    with open_file(path) as file:
        if problem := _not_a_table(path, file):
            on_problem(problem)
            return
        lines = _lines(file)
        sample = _sample(lines)
        dialect, start = _dialect(path, sample)
        reports = RowReports(path, _FIX, on_problem)
        rows = _rows(dialect, chain(sample[start:], lines))
        _, header = next(rows, (0, _EMPTY))
        if problem := _no_header(path, header):
            on_problem(problem)
            return
        assert not isinstance(header, str)
        yield from _documents(path, Columns.of(header), rows, reports)
        reports.close()


def _documents(
    path: Path, columns: Columns, rows: Iterator[tuple[int, list[str] | str]], reports: RowReports
) -> Iterator[Document]:
    number = 0
    for number, cells in rows:
        document = cells if isinstance(cells, str) else _document(path, columns, cells)
        if isinstance(document, str):
            reports.bad(Problem(path, f"line {number}: {document}", _FIX))
        else:
            reports.key(number, document.key)
            yield document
    if not number:
        reports.bad(Problem(path, "has no rows but its header", "Leave it out.", left_out=False))


def _document(path: Path, columns: Columns, cells: list[str]) -> Document | str:
    width = len(columns.names)
    if any(cell.strip() for cell in cells[width:]):
        return f"has {len(cells)} cells where the header has {width}"
    cells = [*cells, *[""] * width][:width]
    plain = columns.text is not None
    return row_document(
        text=columns.value(cells, columns.text) if plain else columns.told(cells),
        title=columns.value(cells, columns.title),
        source=columns.value(cells, columns.source) or str(path),
        key=columns.value(cells, columns.key),
        date=columns.value(cells, columns.date),
        metadata=columns.others(cells) if plain else {},
    )


def _not_a_table(path: Path, file: BinaryIO) -> Problem | None:
    """What the first bytes say about the file: its encoding, above all."""
    head = file.read(SAMPLE)
    file.seek(0)
    whole = head if len(head) < SAMPLE else head[: head.rfind(b"\n") + 1]
    return not_encoded(path, whole)


def _lines(file: BinaryIO) -> Iterator[Line]:
    """Number and text of each line; ``None`` for one that is too long or not UTF-8. An old Mac's lines end in a CR."""
    shift = 0
    for number, line in numbered(file):
        try:
            text = None if line is None else newlines(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            text = None
        if text is None:
            yield number + shift, None
            continue
        pieces = text.removesuffix("\n").split("\n")
        yield from ((number + shift + at, f"{piece}\n") for at, piece in enumerate(pieces))
        shift += len(pieces) - 1


def _sample(lines: Iterator[Line]) -> list[Line]:
    """The first lines."""
    sample: list[Line] = []
    length = 0
    while length < SAMPLE and (line := next(lines, None)) is not None:
        sample.append(line)
        length += len(line[1] or "") + 1
    return sample


def _dialect(path: Path, sample: Sequence[Line]) -> tuple[Dialect, int]:
    """The dialect, and where in the sample the header is."""
    lines = [text or "" for _, text in sample]
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    named = declared(lines[start]) if lines else ""
    start += bool(named)
    first = named or ("\t" if path.suffix.lower() in {".tsv", ".tab"} else ",")
    return (Dialect(named) if named else sniffed(lines[start:], first)), start


def _no_header(path: Path, header: list[str] | str) -> Problem | None:
    if isinstance(header, str):
        return Problem(path, header, _HEADER, left_out=header != _EMPTY)
    if len(header) > limits.MOST_COLUMNS:
        return Problem(path, f"has {len(header):,} columns; {limits.MOST_COLUMNS:,} are read", "Divide it.")
    if nul := uncarried("".join(header)):
        return Problem(path, f"{nul} of its first row", "It is probably no table: leave it out.")
    first = header[0].strip()
    if first.isdecimal() or any(len(cell) > _LONGEST_NAME for cell in header):
        cell = limits.cut(max(header, key=len) if not first.isdecimal() else first, 60)
        return Problem(path, f"begins with a row that is no header: {cell!r} is not the name of a column", _HEADER)
    return None


def _rows(dialect: Dialect, lines: Iterator[Line]) -> Iterator[tuple[int, list[str] | str]]:
    """Number of the first line and cells of each row that is not empty, or what is wrong with it.

    A mark that is opened and never closed would swallow all rows that follow. Where a row gets too long for one, only its
    first line is given up, and the others are read anew.
    """
    feed = _Feed(lines)
    while feed.begin():
        try:
            cells = next(dialect.rows(feed))
        except _BadLineError as error:
            feed.retry()
            yield feed.number, str(error)
        except csv.Error as error:
            yield feed.number, f"is no row of a table ({error})"
        else:
            if any(cell.strip() for cell in cells):
                yield feed.number, cells


class _BadLineError(Exception):
    """The row cannot be read on."""


class _Feed:
    """Lines of one row at a time, for ``csv.reader``; all but the first can be had again."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._again = deque[Line]()
        self._row: list[Line] = []
        self._length = 0
        self.number = 0

    def begin(self) -> bool:
        """Whether another row begins."""
        self._row, self._length = [], 0
        line = self._next()
        if line is None:
            return False
        self._again.appendleft(line)
        self.number = line[0]
        return True

    def retry(self) -> None:
        """Give up the row's first line, and read the others again."""
        self._again.extendleft(reversed(self._row[1:]))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next()
        if line is None:
            if self._row:  # the file ends within marks
                raise _BadLineError("opens a quotation mark that is never closed")
            raise StopIteration
        number, text = line
        self._row.append(line)
        if text is None:
            raise _BadLineError(
                _UNREAD if len(self._row) == 1 else f"is broken off by line {number}, which is not read"
            )
        self._length += len(text)
        if self._length > 2 * limits.LONGEST_ROW:
            raise _BadLineError(f"is longer than {limits.LONGEST_ROW:,} characters; is a quotation mark left open?")
        return text

    def _next(self) -> Line | None:
        return self._again.popleft() if self._again else next(self._lines, None)
