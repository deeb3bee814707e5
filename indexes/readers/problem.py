"""What a reader says about a file that it cannot use; the other files go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

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
    """

    path: Path
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.path} {self.reason}\n{self.fix}"


OnProblem = Callable[[Problem], None]
Reader = Callable[[Path, OnProblem], Iterator[Document]]


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
