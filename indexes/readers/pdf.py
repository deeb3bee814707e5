"""PDF: the extracted text of all pages, with a mark where each page begins."""

from __future__ import annotations

import logging
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexes.passage import Document, Mark
from indexes.readers import limits, patience
from indexes.readers.problem import LETTER, OnProblem, Problem

if TYPE_CHECKING:
    from pypdf import PdfReader

# pypdf says of itself that broken files may raise other exceptions than its own; these are the ones that do.
_BROKEN = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError, RecursionError, TypeError,
    ValueError, struct.error, zlib.error,
)  # fmt: skip
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f]")
_SENTENCE_END = re.compile(r"""[.!?…。！？؟।]['")\]’”»]*(?=\s|$)""")
_FILE_NAME = re.compile(
    r"microsoft \w+ - |untitled|.*\.(?:docx?|pptx?|xlsx?|indd|tex|dvi|pdf|rtf|odt)\Z", re.IGNORECASE
)
LONGEST_CARRY = 600
_REPAIR = "Export it again, or repair it: qpdf broken.pdf repaired.pdf"


def read_pdf(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One document. Pages that cannot be extracted are reported and left out; the others keep their numbers."""
    from pypdf.errors import DependencyError, DeprecationError, PyPdfError

    # A warning for each object that pypdf repairs is of no use to a reader; what it cannot repair, it raises.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    broken = (PyPdfError, DeprecationError, *_BROKEN)
    try:
        reader = _open(path)
        count = len(reader.pages)
    except DependencyError:
        on_problem(_encrypted(path))
        return
    except broken as error:
        on_problem(_encrypted(path) if _is_password(error) else _damaged(path, "", error))
        return
    damaged = list[Problem]()
    pages = _pages(path, reader, (MemoryError, *broken), on_problem, damaged.append)
    text, marks = _join(pages)
    readable = LETTER.search(text) is not None
    for problem in damaged:  # for good: to read a file with other pages again at each run would not help
        on_problem(replace(problem, left_out=not readable))
    if readable:
        yield Document(text=text, title=_title(reader, broken) or path.stem, source=str(path), marks=marks)
    elif count and len(pages) == count:
        reason = f"has {count} pages and no text; they are probably scanned images"
        on_problem(Problem(path, reason, f"Add a text layer first: ocrmypdf '{path.name}' searchable.pdf"))
    elif not count:
        on_problem(Problem(path, "has no pages", "Leave it out, or export it again."))


def _pages(
    path: Path, reader: PdfReader, broken: tuple[type[BaseException], ...], on_problem: OnProblem, on_damage: OnProblem
) -> list[tuple[int, str]]:
    """Numbers and texts of the pages that can be read in time. The others are reported: the first ten, and how many more."""
    pages: list[tuple[int, str]] = []
    bad, length, count, tell = 0, 0, len(reader.pages), on_damage
    failures: tuple[type[BaseException], ...] = (patience.TooSlowError, *broken)
    for number in range(1, count + 1):
        if length > limits.LARGEST_TEXT or patience.current.lost:
            on_problem(_endless(path, number, count, length))
            break
        try:
            patience.current.step()
            pages.append((number, _clean(reader.pages[number - 1].extract_text())))
            length += len(pages[-1][1])
        except failures as error:
            bad += 1
            if isinstance(error, (patience.TooSlowError, MemoryError)):  # another run may read it
                tell = on_problem
            if bad <= limits.REPORTED:
                tell(_damaged(path, f" on page {number}", error))
    patience.current.step()
    if bad > limits.REPORTED:
        tell(Problem(path, f"has {bad - limits.REPORTED} more pages that cannot be read", _REPAIR))
    return pages


def _endless(path: Path, number: int, count: int, length: int) -> Problem:
    why = "take too long" if length <= limits.LARGEST_TEXT else f"have more than {limits.LARGEST_TEXT:,} characters"
    reason = f"was read up to page {number - 1} of {count}: the pages {why} for one document"
    return Problem(path, reason, f"Divide it: qpdf --split-pages=500 '{path.name}' part.pdf")


def _open(path: Path) -> PdfReader:
    from pypdf import PdfReader

    return PdfReader(path)


def _is_password(error: BaseException) -> bool:
    from pypdf.errors import FileNotDecryptedError

    return isinstance(error, FileNotDecryptedError)


def _encrypted(path: Path) -> Problem:
    return Problem(path, "is encrypted", f"Save a copy without a password: qpdf --decrypt '{path.name}' open.pdf")


def _damaged(path: Path, where: str, error: BaseException) -> Problem:
    what = f"{type(error).__name__}: {error}".strip(": ")
    if isinstance(error, patience.TooSlowError):
        what = f"not read in {patience.current.seconds:.0f} seconds"
    return Problem(
        path, f"is damaged{where} ({what})", f"Repair it: qpdf '{path.name}' repaired.pdf; or export it again."
    )


def _clean(text: str) -> str:
    """Without control characters and half surrogate pairs, which broken font tables produce."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _UNPRINTABLE.sub("", whole).strip()


def _join(pages: list[tuple[int, str]]) -> tuple[str, tuple[Mark, ...]]:
    """The pages' text and marks. A sentence that runs over a page's end belongs to the page that it begins on."""
    parts: list[str] = []
    marks: list[Mark] = []
    length = 0
    for number, page in pages:
        if not page:
            continue
        carry = _carried(parts[-1], page) if parts else 0
        if parts:
            parts.append("\n" if carry else "\n\n")
            length += len(parts[-1])
        marks.append(Mark(length + carry, f"p. {number}"))
        parts.append(page)
        length += len(page)
    return "".join(parts), tuple(marks)


def _carried(before: str, page: str) -> int:
    """Characters at the top of ``page`` that finish the sentence left open ``before`` it; 0 where none was left open.

    Open means: the text stops after a letter, comma or dash, and the page goes on with a letter that is not a capital.
    """
    stops_open = bool(re.search(r"[^\W\d_]\Z|[,;–—-]\Z", before[-1:]))
    if not stops_open or not page[0].isalpha() or page[0].isupper():
        return 0
    end = _SENTENCE_END.search(page, 0, LONGEST_CARRY)
    return end.end() if end else 0


def _title(reader: PdfReader, broken: tuple[type[BaseException], ...]) -> str:
    """The title that the file states, unless it is the name of a file, as word processors leave it."""
    try:
        title = _clean(str((reader.metadata and reader.metadata.title) or ""))
    except broken:
        return ""
    return "" if _FILE_NAME.match(title) else " ".join(title.split())
