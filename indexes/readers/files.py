"""Find the files under a path and read each with the reader of its format."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from indexes.errors import InputError
from indexes.passage import Document
from indexes.readers.docx import read_docx
from indexes.readers.html import read_html
from indexes.readers.jsonl import is_beir, read_beir, read_jsonl
from indexes.readers.markdown import read_markdown
from indexes.readers.pdf import read_pdf
from indexes.readers.problem import OnProblem, Problem, Reader, unusable
from indexes.readers.text import read_text

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        ".txt": read_text,
        ".text": read_text,
        ".rst": read_text,
        ".md": read_markdown,
        ".markdown": read_markdown,
        ".html": read_html,
        ".htm": read_html,
        ".xhtml": read_html,
        ".pdf": read_pdf,
        ".docx": read_docx,
        ".jsonl": read_jsonl,
        ".ndjson": read_jsonl,
    }
)
LARGEST = 200_000_000  # bytes of a file that is read as one document; rows are streamed and may be as many as they like


def read(path: Path | str, *, on_problem: OnProblem) -> Iterator[Document]:
    """Documents of a file, of a folder and all below it, or of a BEIR folder, in the order of their names.

    Documents are read as they are asked for: neither a folder nor a corpus is held in memory. Hidden files are skipped, and
    links are followed only to files inside the folder. What cannot be read goes to ``on_problem``, and the rest goes on.

    Raises
    ------
    InputError
        Where ``path`` does not exist, or is neither a file nor a folder.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _folder(path, Path(os.path.realpath(path)), on_problem)
        if path.is_file():
            return _file(path, on_problem)
        what = "is neither a file nor a folder" if path.exists() else "does not exist"
    except OSError as error:
        what = f"cannot be opened ({error.strerror})"
    raise InputError(f"{path} {what}.", "Give the path of a file, of a folder, or of a BEIR folder.")


def _folder(folder: Path, root: Path, on_problem: OnProblem) -> Iterator[Document]:
    if is_beir(folder):
        yield from _guarded(read_beir, folder, on_problem)
        return
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        on_problem(_unreadable(folder, error))
        return
    for entry in entries:
        if entry.name.startswith((".", "~$")):  # "~$" is the lock file of a document that is open in Word
            continue
        path = Path(entry.path)
        if entry.is_symlink() and (problem := _bad_link(path, root)):
            on_problem(problem)
        elif entry.is_dir(follow_symlinks=False):
            yield from _folder(path, root, on_problem)
        elif entry.is_file():
            yield from _file(path, on_problem)


def _bad_link(path: Path, root: Path) -> Problem | None:
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(root):
        return Problem(path, "is a link that leads out of the folder", "Add what it points to by its own path.")
    if not os.access(path, os.F_OK):
        return Problem(path, "is a link that leads nowhere", "Remove it, or mend what it points to.")
    return None


def _file(path: Path, on_problem: OnProblem) -> Iterator[Document]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        kind = f"{path.suffix} files are" if path.suffix else "files without a suffix are"
        on_problem(Problem(path, f"is skipped: {kind} not supported", f"Supported are {' '.join(READERS)}"))
        return
    if reader is read_jsonl:
        yield from _guarded(reader, path, on_problem)
        return
    for document in _guarded(_bounded(reader), path, on_problem):
        if problem := unusable(document.text):
            on_problem(Problem(path, problem, "Leave it out, or put text into it."))
        else:
            yield document


def _bounded(reader: Reader) -> Reader:
    """``reader``, refusing files too large to be one document."""

    def bounded(path: Path, on_problem: OnProblem) -> Iterator[Document]:
        size = path.stat().st_size
        if size <= LARGEST:
            yield from reader(path, on_problem)
        else:
            reason = f"has {size / 1e6:,.0f} MB; one document may have {LARGEST / 1e6:,.0f} MB"
            on_problem(Problem(path, reason, "Divide it into several files, or into rows of a .jsonl file."))

    return bounded


def _guarded(reader: Reader, path: Path, on_problem: OnProblem) -> Iterator[Document]:
    """``reader``'s documents; a file that the system does not let us read is a problem like any other."""
    try:
        yield from reader(path, on_problem)
    except OSError as error:
        on_problem(_unreadable(path, error))


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem(
        path, f"cannot be read ({error.strerror or error})", "Check that it exists and that you may read it."
    )
