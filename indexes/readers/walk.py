"""The files below a path, in the order of their names: what is to be read, and what stands in the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexes.errors import InputError
from indexes.invisible import shown
from indexes.readers.jsonl import CORPUS, is_beir
from indexes.readers.problem import OnProblem, Problem, encodable, named_in_utf8, unreadable

_PIPE = "is a pipe, a socket or a device, not a file"
_NAME = "has a name that is not UTF-8"
_RENAME = "Rename it, its folders too: convmv -f latin1 -t utf8 -r --notest ."


@dataclass(frozen=True, slots=True)
class Found:
    """One file; ``readable`` is what a reader is given, which for a BEIR corpus is its folder."""

    file: Path
    readable: Path


def walk(path: Path, on_problem: OnProblem) -> Iterator[Found]:
    """The files of a folder and all below it, by name, or the file itself.

    Hidden files are skipped, and links are followed only to files inside the folder. What cannot be looked into goes to
    ``on_problem``, and so do names that are not UTF-8, which can be neither stored nor printed.

    Raises
    ------
    InputError
        Where ``path`` does not exist, or is neither a file nor a folder.
    """
    try:
        if not named_in_utf8(str(path)) and path.exists():
            on_problem(Problem(path, _NAME, _RENAME))
            return iter(())
        if path.is_dir():
            return _below(path, on_problem)
        if path.is_file():
            return iter((Found(path, path),))
        what = "is neither a file nor a folder" if path.exists() else "does not exist"
    except OSError as error:
        what = f"cannot be opened ({error.strerror})"
    raise InputError(
        f"{shown(encodable(str(path)))} {what}.", "Give the path of a file, of a folder, or of a BEIR folder."
    )


def _below(folder: Path, on_problem: OnProblem) -> Iterator[Found]:
    """With a stack of our own: folders nest deeper than Python's recursion allows."""
    root = Path(os.path.realpath(folder))
    stack = [_entries(folder, root, on_problem)]
    while stack:
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
        elif isinstance(found, Found):
            yield found
        else:
            stack.append(_entries(found, root, on_problem))


def _entries(folder: Path, root: Path, on_problem: OnProblem) -> Iterator[Found | Path]:
    """What is to be read in a folder, and the folders to go down into, in order of names."""
    try:
        if is_beir(folder):
            if problem := _bad_link(folder / CORPUS, root):
                on_problem(problem)
            else:
                yield Found(folder / CORPUS, folder)
            return
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        on_problem(unreadable(folder, error))
        return
    for entry in entries:
        if entry.name.startswith((".", "~$")):  # "~$" is the lock file of a document that is open in Word
            continue
        path = Path(entry.path)
        try:
            found = _entry(entry, path, root)
        except OSError as error:
            found = unreadable(path, error)
        if isinstance(found, Problem):
            on_problem(found)
        elif found is not None:
            yield found


def _entry(entry: os.DirEntry[str], path: Path, root: Path) -> Found | Path | Problem | None:
    """What an entry of a folder is: a file to read, a folder to go down into, a problem, or a link to a folder inside."""
    if not named_in_utf8(entry.name):
        return Problem(path, _NAME, _RENAME)
    if entry.is_symlink() and (problem := _bad_link(path, root)):
        return problem
    if entry.is_dir():
        return None if entry.is_symlink() else path
    return (
        Found(path, path) if entry.is_file() else Problem(path, _PIPE, "Leave it out, or save what it gives as a file.")
    )


def _bad_link(path: Path, root: Path) -> Problem | None:
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(root):
        return Problem(path, "is a link that leads out of the folder", "Add what it points to by its own path.")
    if not os.access(path, os.F_OK):
        return Problem(path, "is a link that leads nowhere", "Remove it, or mend what it points to.")
    return None
