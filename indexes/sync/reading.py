"""Files and folders, read as far as they have changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from indexes.errors import InputError
from indexes.readers.files import read
from indexes.readers.problem import OnProblem, Problem, printable, unreadable
from indexes.readers.walk import Found, walk
from indexes.sync.cutting import Cutting
from indexes.sync.given import Finished, Item, Origin, Stamp, Unread

SETTLING = 2_000_000_000  # nanoseconds within which a file may change once more and keep its size and time


class Reading:
    """What is in files and below folders, in the order of their names; an unchanged file is not even opened.

    Parameters
    ----------
    paths
        Files and folders; an ``InputError`` where one does not exist.
    cutting
        Splits the documents.
    on_problem
        Told of what cannot be read.
    below
        Files below this folder are there for a moment only: they are named by their paths below it, and are not followed.
    """

    def __init__(
        self, paths: Sequence[Path], cutting: Cutting, on_problem: OnProblem, below: Path | None = None
    ) -> None:
        self.roots = tuple(_absolute(path) for path in paths if path.is_dir() and not _lies(path, below))
        self.unreadable: list[Path] = []
        self._cutting = cutting
        self._tell = on_problem
        self._below = below
        self._found = [(path, walk(path, self._note)) for path in paths]

    def __iter__(self) -> Iterator[Item]:
        for path, found in self._found:
            root = _absolute(path) if path.is_dir() else ""
            for each in found:
                origin = Origin() if _lies(each.file, self._below) else Origin(_absolute(each.file), root)
                yield from self._file(each, origin)

    def _file(self, found: Found, origin: Origin) -> Iterator[Item]:
        try:
            before, now = Stamp.of(found.file), time.time_ns()
        except OSError as error:
            self._note(unreadable(found.file, error))
            return
        unread = self._unchanged(origin, before)
        if unread is not None:
            self._cutting.count(unread.documents, unread.passages)
            yield unread
            return
        problems = len(self.unreadable)
        yield from self._documents(found, origin)
        if origin.path:
            whole = len(self.unreadable) == problems
            stamp = before if _settled(found.file, before, now) else None
            yield Finished(origin, str(found.file), stamp, self._cutting.recipe, whole)

    def _documents(self, found: Found, origin: Origin) -> Iterator[Item]:
        try:
            for document in read(found.readable, on_problem=self._note):
                named = document
                if not origin.path and self._below is not None:
                    named = replace(document, source=_shortened(document.source, self._below))
                yield self._cutting.given(named, origin)
        except InputError as error:  # it was there a moment ago
            self._note(Problem(found.file, f"cannot be read ({error.problem})", error.fix))

    def _unchanged(self, origin: Origin, stamp: Stamp) -> Unread | None:
        journal = self._cutting.journal
        if journal is None or not origin.path:
            return None
        return journal.unchanged(origin, stamp, self._cutting.recipe)

    def _note(self, problem: Problem) -> None:
        if problem.left_out:
            self.unreadable.append(Path(_absolute(problem.path)))
        self._tell(printable(replace(problem, path=Path(_shortened(str(problem.path), self._below)))))


def _settled(file: Path, stamp: Stamp, looked: int) -> bool:
    """Whether a file is what it was when it was looked at, and any later change would show in its stamp."""
    try:
        return stamp == Stamp.of(file) and max(stamp.modified, stamp.changed) + SETTLING < looked
    except OSError:
        return False


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 (links stay: the name that was given is what counts)


def _lies(path: Path, below: Path | None) -> bool:
    return below is not None and path.is_relative_to(below)


def _shortened(path: str, below: Path | None) -> str:
    """The path below a folder; as it is where it does not lie there."""
    if below is None or not Path(path).is_relative_to(below):
        return path
    return str(Path(path).relative_to(below))
