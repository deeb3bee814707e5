"""JSON Lines, and the corpus of a BEIR folder: one record a line, each of them a passage already."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from indexes.passage import Document
from indexes.readers.dates import iso_date
from indexes.readers.problem import OnProblem, Problem, uncarried, unusable

CORPUS = "corpus.jsonl"
REPORTED = 10
_FIX = 'Mend or remove it; each line is one JSON object: {"_id": "a1", "title": "…", "text": "…"}.'


def is_beir(folder: Path) -> bool:
    """Whether the folder is laid out as a BEIR set. Its queries and judgements are not documents."""
    return (folder / CORPUS).is_file()


def read_beir(folder: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One document per record of ``corpus.jsonl``, with ``key`` = ``_id``."""
    return read_jsonl(folder / CORPUS, on_problem)


def read_jsonl(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """One whole document per row, read a line at a time.

    A row has ``text``, and may have ``title``, ``_id`` or ``id``, ``date``, ``source``, and an object ``metadata``. A row
    with a title but no text is the title. Bad rows are left out; the first ten are reported one by one, the others counted.
    """
    bad = 0
    for row in rows(path):
        if isinstance(row, Document):
            yield row
            continue
        bad += 1
        if bad <= REPORTED:
            on_problem(row)
    if bad > REPORTED:
        on_problem(Problem(path, f"has {bad - REPORTED} more lines that cannot be read", _FIX))


def rows(path: Path) -> Iterator[Document | Problem]:
    """The document of every row, or what is wrong with the row, read a line at a time."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            row = _row(line)
            document = _document(row, path) if isinstance(row, dict) else row
            yield document if isinstance(document, Document) else Problem(path, f"line {number}: {document}", _FIX)


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
        return "has no `text`" if text is None else f"has a `text` that is {type(text).__name__}, not a string"
    if not text or not text.strip():
        text, title = title, ""
    source = _string(row.get("source")) or str(path)
    key = _string(row.get("_id", row.get("id")))
    metadata = _metadata(row)
    if problem := unusable(text) or uncarried("".join([title, source, key, *metadata, *metadata.values()])):
        return problem
    date = iso_date(row.get("date", ""))
    return Document(text=text, title=title, source=source, key=key, date=date, whole=True, metadata=metadata)


def _metadata(row: Mapping[str, Any]) -> dict[str, str]:
    """The plain values of the row's ``metadata``, and a date that is not ISO 8601, as text."""
    given = row.get("metadata")
    values = {**(given if isinstance(given, dict) else {})}
    if row.get("date") and not iso_date(row["date"]):
        values.setdefault("date", row["date"])
    return {name: str(value) for name, value in values.items() if isinstance(value, str | int | float)}


def _string(value: object) -> str:
    """Text and numbers as text; anything else as absent."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
