"""What a reader says about a file that it cannot use; the other files go on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from indexes.invisible import shown
from indexes.passage import Document

LETTER = re.compile(r"[^\W_]")
_UNCARRIED = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """A file, or a part of one, that was left out.

    Parameters
    ----------
    path
        The file or folder.
    reason
        What is wrong with it, with the values, worded to follow its name.
    fix
        What to do about it.
    left_out
        False where it was read nevertheless.
    """

    path: Path
    reason: str
    fix: str
    left_out: bool = True

    def to_dict(self) -> dict[str, str]:
        """Plain JSON types."""
        return {"path": str(self.path), "reason": self.reason, "fix": self.fix}

    def __str__(self) -> str:
        return f"{shown(str(self.path))} {self.reason}\n{self.fix}"


OnProblem = Callable[[Problem], None]
Reader = Callable[[Path, OnProblem], Iterator[Document]]
LONGEST_REASON = 500


def printable(problem: Problem) -> Problem:
    """The problem as it can be shown, logged and sent: what a parser says of a hostile file may be anything.

    A path is changed only where its bytes are no UTF-8.
    """
    reason = " ".join(shown(problem.reason).split())
    short = reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
    return Problem(Path(encodable(str(problem.path))), short, shown(problem.fix), problem.left_out)


def encodable(path: str) -> str:
    r"""The path with the bytes that are no UTF-8 written out: ``caf\xe9.txt``."""
    return path if named_in_utf8(path) else os.fsencode(path).decode("utf-8", "backslashreplace")


def named_in_utf8(path: str) -> bool:
    """Whether a path's bytes are UTF-8; such a name cannot be stored, sent or printed."""
    return _UNCARRIED.search(path) is None


def uncarried(text: str) -> str:
    """What keeps ``text`` from being stored, else an empty string: UTF-8 and the vector store carry neither character."""
    found = _UNCARRIED.search(text)
    if not found:
        return ""
    what = "a NUL character" if found[0] == "\x00" else "half a surrogate pair"
    return f"has {what} at offset {found.start()}"


def unusable(text: str) -> str:
    """What keeps ``text`` from being indexed, else an empty string."""
    return uncarried(text) or ("" if LETTER.search(text) else "has no words")


def unreadable(path: Path, error: OSError) -> Problem:
    """The problem of what the system does not let us read."""
    return Problem(
        path, f"cannot be read ({error.strerror or error})", "Check that it exists and that you may read it."
    )
