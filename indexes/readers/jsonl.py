"""JSON Lines, and the corpus of a BEIR folder: one record a line, each of them a passage already."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from indexes.passage import Document
from indexes.readers import limits
from indexes.readers.lines import numbered
from indexes.readers.opening import open_file
from indexes.readers.problem import OnProblem, Problem
from indexes.readers.reports import RowReports
from indexes.readers.row import row_document

CORPUS = "corpus.jsonl"
_FIX = 'Mend or remove it; each line is one JSON object: {"_id": "a1", "title": "…", "text": "…"}.'
_LONG = "Divide its text into several rows, or make it a file of its own, which is split into passages."
_SHOWN = 8  # names of a row without text that are told, to see what it has instead


def is_beir(folder: Path) -> bool:
    """Whether the folder is laid out as a BEIR set. Its queries and judgements are not documents."""
    return (folder / CORPUS).is_file()


def read_beir(folder: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One document per record of ``corpus.jsonl``, with ``key`` = ``_id``. A record without one is reported and read."""
    return _read(folder / CORPUS, on_problem, keyed=True)


def read_jsonl(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One whole document per row, read a line at a time.

    A row has ``text``, and may have ``title``, ``_id`` or ``id``, ``date``, ``source``, and an object ``metadata``. A row
    with a title but no text is the title. Bad rows are left out; the first ten are reported one by one, the others counted.
    """
    return _read(path, on_problem, keyed=False)


def rows(path: Path) -> Iterator[Document | Problem]:
    """The document of every row, or what is wrong with the row, read a line at a time."""
    return (found for _, found in _numbered(path))


def _read(path: Path, on_problem: OnProblem, *, keyed: bool) -> Iterator[Document]:
    report = RowReports(path, _FIX, on_problem)
    number = without = 0
    for number, row in _numbered(path):
        if isinstance(row, Problem):
            report.bad(row)
            continue
        report.key(number, row.key)
        without += not row.key
        yield row
    report.close()
    if not number:
        on_problem(Problem(path, "has no rows", "Leave it out.", left_out=False))
    if keyed and without:
        reason = f"has {without} lines without `_id`; they were read, but no judgement can name them"
        on_problem(
            Problem(path, reason, 'Give each line an id: {"_id": "a1", "title": "…", "text": "…"}.', left_out=False)
        )


def _numbered(path: Path) -> Iterator[tuple[int, Document | Problem]]:
    with open_file(path) as file:
        for number, line in numbered(file):
            if line is None:
                yield number, Problem(path, f"line {number}: is longer than {limits.LONGEST_LINE / 1e6:.0f} MB", _LONG)
            elif line.strip():
                row = _row(line)
                document = _document(row, path) if isinstance(row, dict) else row
                if isinstance(document, str):
                    yield number, Problem(path, f"line {number}: {document}", _FIX)
                else:
                    yield number, document


def _row(line: bytes) -> dict[str, Any] | str:
    """The row, or what is wrong with it."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return f"is not valid UTF-8 (byte 0x{error.object[error.start]:02x} at offset {error.start})"
    except (ValueError, RecursionError) as error:
        return f"is not JSON ({error})"
    return row if isinstance(row, dict) else f"is a JSON {type(row).__name__}, not an object"


def _document(row: Mapping[str, Any], path: Path) -> Document | str:
    """The document of a row, or what is wrong with it."""
    text, title = row.get("text"), _string(row.get("title"))
    if not isinstance(text, str) and not (text is None and title):
        return _without(row) if text is None else f"has a `text` that is {type(text).__name__}, not a string"
    return row_document(
        text=text or "",
        title=title,
        source=_string(row.get("source")) or str(path),
        key=_string(row.get("_id", row.get("id"))),
        date=_string(row.get("date")),
        metadata=_metadata(row),
    )


def _without(row: Mapping[str, Any]) -> str:
    names = [limits.cut(name, 40) for name in row][:_SHOWN]
    return f"has no `text`, only {', '.join(names)}" if names else "has no `text`"


def _metadata(row: Mapping[str, Any]) -> dict[str, str]:
    """The plain values of the row's ``metadata``."""
    given = row.get("metadata")
    values = given if isinstance(given, dict) else {}
    return {name: str(value) for name, value in values.items() if isinstance(value, str | int | float)}


def _string(value: object) -> str:
    """Text and numbers as text; anything else as absent."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
