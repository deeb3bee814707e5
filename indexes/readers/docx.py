"""DOCX: paragraphs and tables in reading order, with headings as marks."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from indexes.passage import Document
from indexes.readers.outline import Heading, marks
from indexes.readers.problem import OnProblem, Problem

if TYPE_CHECKING:
    from docx.document import Document as Word
    from docx.table import Table, _Cell
    from docx.text.paragraph import Paragraph

LARGEST = 500_000_000
LARGEST_RATIO = 200
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of old .doc files, and of every password-protected Office file
_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
# python-docx and lxml let these through for damaged packages; XML errors are SyntaxErrors, a locked zip a RuntimeError.
_BROKEN = (
    AssertionError, AttributeError, EOFError, LookupError, NotImplementedError, RuntimeError, SyntaxError, TypeError,
    ValueError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_docx(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One document: title from the title paragraph, else the properties, else the first heading, else the file's name."""
    import docx
    from docx.opc.exceptions import OpcError

    with path.open("rb") as file:
        if problem := _refused(path, file):
            on_problem(problem)
            return
        try:
            document = _document(path, docx.Document(file))
        except (OpcError, *_BROKEN) as error:
            what = f"{type(error).__name__}: {error}".strip(": ")
            on_problem(
                Problem(path, f"is not a Word document that can be read ({what})", "Open it in Word and save it again.")
            )
            return
    yield document


def _refused(path: Path, file: BinaryIO) -> Problem | None:
    """Check what kind of file this is and what it would unpack to, before anything is unpacked."""
    if file.read(len(_OLE)) == _OLE:
        return Problem(path, "is an old .doc or has a password", "Save it as .docx without a password.")
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(part.file_size for part in archive.infolist())
            packed = sum(part.compress_size for part in archive.infolist())
    except _BROKEN as error:
        return Problem(path, f"is not a DOCX file ({error})", "Open it in Word and save it as .docx.")
    finally:
        file.seek(0)
    if unpacked > LARGEST or unpacked > LARGEST_RATIO * max(packed, 1):
        size = f"{unpacked / 1e6:,.0f} MB from {packed / 1e6:,.1f} MB"
        return Problem(path, f"would unpack to {size}, as a zip bomb does", "If it is genuine, save its text as .txt.")
    return None


def _document(path: Path, word: Word) -> Document:
    """Text with blank lines between blocks; headings stand in the text too."""
    from docx.text.paragraph import Paragraph

    blocks: list[str] = []
    headings: list[Heading] = []
    styles: dict[str | None, str] = {}
    named, length = "", 0
    for item in word.iter_inner_content():
        style = _style(item, styles) if isinstance(item, Paragraph) else ""
        text = item.text.strip() if isinstance(item, Paragraph) else "\n".join(_rows(item))
        if not text:
            continue
        if level := _HEADING.match(style):
            headings.append(Heading(length, length + len(text), int(level[1]), " ".join(text.split())))
        elif style == "Title" and not named:
            named = " ".join(text.split())
        blocks.append(text)
        length += len(text) + 2
    body = "\n\n".join(blocks)
    title = named or _property(word) or (headings[0].label if headings else "") or path.stem
    return Document(text=body, title=title, source=str(path), marks=marks(body, headings, title=title))


def _style(paragraph: Paragraph, known: dict[str | None, str]) -> str:
    """Name of the paragraph's style. python-docx takes 3 ms to find it, each time."""
    key = paragraph._p.style  # noqa: SLF001 - python-docx has no other way
    if key not in known:
        known[key] = str(paragraph.style.name or "") if paragraph.style is not None else ""
    return known[key]


def _property(word: Word) -> str:
    title = (word.core_properties.title or "").strip()
    return "" if title == "Word Document" else title  # what python-docx writes where there is none


def _rows(table: Table) -> Iterator[str]:
    """Rows as ``cell | cell``, each merged cell once a row.

    ``row.cells`` would give a cell as often as it says that it has columns, and look for the beginning of one that is
    merged over rows by recursion.
    """
    from docx.table import _Cell

    above: dict[int, str] = {}
    for row in table.rows:
        column, cells = row.grid_cols_before, dict[int, str]()
        for element in row._tr.tc_lst:  # noqa: SLF001 - python-docx has no other way
            goes_on = element.vMerge == "continue"
            cells[column] = above.get(column, "") if goes_on else _cell(_Cell(element, table))
            column += max(1, element.grid_span)
        above = cells
        if any(cells.values()):
            yield " | ".join(cells.values())


def _cell(cell: _Cell) -> str:
    """A cell in one line, tables inside it included."""
    from docx.text.paragraph import Paragraph

    items = cell.iter_inner_content()
    parts = (item.text if isinstance(item, Paragraph) else " ".join(_rows(item)) for item in items)
    return " ".join(" ".join(parts).split())
