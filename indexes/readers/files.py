"""Find the files under a path and read each with the reader of its format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from indexes.passage import Document
from indexes.readers import limits
from indexes.readers.isolated import isolated
from indexes.readers.jsonl import read_beir, read_jsonl
from indexes.readers.opening import too_large
from indexes.readers.problem import OnProblem, Problem, Reader, printable, uncarried, unreadable, unusable
from indexes.readers.table import read_table
from indexes.readers.text import read_text
from indexes.readers.walk import Found, walk

# Parsers of what is written by programs run in a process of their own; what is read a line at a time needs none.
READERS: Mapping[str, Reader] = MappingProxyType(
    {
        ".txt": read_text,
        ".text": read_text,
        ".rst": read_text,
        ".md": isolated("markdown"),
        ".markdown": isolated("markdown"),
        ".html": isolated("html"),
        ".htm": isolated("html"),
        ".xhtml": isolated("html"),
        ".pdf": isolated("pdf"),
        ".docx": isolated("docx"),
        ".jsonl": read_jsonl,
        ".ndjson": read_jsonl,
        ".csv": read_table,
        ".tsv": read_table,
        ".tab": read_table,
    }
)
ROWS = frozenset({read_jsonl, read_table})  # these are streamed, and may be as large as they like


def read(path: Path | str, *, on_problem: OnProblem) -> Iterator[Document]:
    """Documents of a file, of a folder and all below it, or of a BEIR folder, in the order of their names.

    Documents are read as they are asked for: neither a folder nor a corpus is held in memory. Hidden files are skipped, and
    links are followed only to files inside the folder. What cannot be read goes to ``on_problem``, and the rest goes on;
    nothing else is raised whatever a file holds, and none takes more than ``indexes.readers.limits`` say.

    Raises
    ------
    InputError
        Where ``path`` does not exist, or is neither a file nor a folder.
    """
    path = Path(path)

    def report(problem: Problem) -> None:
        on_problem(printable(problem))

    return chain.from_iterable(_found(each, report) for each in walk(path, report))


def _found(found: Found, on_problem: OnProblem) -> Iterator[Document]:
    if found.file != found.readable:
        return _guarded(read_beir, found.readable, on_problem)
    return _file(found.file, on_problem)


def _file(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        kind = f"{path.suffix} files are" if path.suffix else "files without a suffix are"
        on_problem(Problem(path, f"is skipped: {kind} not supported", f"Supported are {' '.join(READERS)}"))
    elif reader in ROWS:
        yield from _guarded(reader, path, on_problem)
    else:
        yield from _guarded(_bounded(reader), path, on_problem)


def _bounded(reader: Reader) -> Reader:
    """``reader``, refusing files too large to be one document, and documents that cannot be one."""

    def bounded(path: Path, on_problem: OnProblem) -> Iterator[Document]:
        size = path.stat().st_size
        if size > limits.LARGEST_FILE:
            on_problem(too_large(path, size, limits.LARGEST_FILE))
            return
        for document in reader(path, on_problem):
            if problem := _not_one(path, document):
                on_problem(problem)
            else:
                yield replace(document, title=limits.cut(document.title))

    return bounded


def _not_one(path: Path, document: Document) -> Problem | None:
    """What keeps a document from being indexed."""
    if problem := unusable(document.text) or uncarried(document.title):
        bad = bool(uncarried(document.text) or uncarried(document.title))
        return Problem(path, problem, "Leave it out, or put text into it.", left_out=bad)
    for count, most, what in (
        (len(document.text), limits.LARGEST_TEXT, "characters"),
        (len(document.marks), limits.MOST_MARKS, "headings or pages"),
    ):
        if count > most:
            reason = f"has {count:,} {what}; one document may have {most:,}"
            return Problem(path, reason, "Divide it into several files.")
    return None


def _guarded(reader: Reader, path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """``reader``'s documents; a file that the system does not let us read is a problem like any other."""
    try:
        yield from reader(path, on_problem)
    except OSError as error:
        on_problem(unreadable(path, error))
