"""Bytes to text: UTF-8 or a reported problem, never a guess."""

from __future__ import annotations

import codecs
from pathlib import Path

from indexes.readers import limits
from indexes.readers.opening import read_whole
from indexes.readers.problem import OnProblem, Problem

# UTF-32's mark begins with UTF-16's, and so comes first.
_MARKED = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_EXAMINED = 4096


def decode(path: Path, on_problem: OnProblem) -> str | None:
    """The file's text, or ``None`` once its problem is reported.

    A byte order mark is dropped and line ends become line feeds, so the same text written on another system has the same
    id; ``path.read_text("utf-8-sig")`` gives the same characters at the same offsets.
    """
    data = read_whole(path, limits.LARGEST_TEXT)
    if isinstance(data, Problem):
        on_problem(data)
        return None
    if problem := not_text(path, data):
        on_problem(problem)
        return None
    return newlines(data.decode("utf-8-sig"))


def newlines(text: str) -> str:
    """Every line end as a line feed, as Python's text files have them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def not_text(path: Path, data: bytes) -> Problem | None:
    """What keeps the bytes from being a text: that they are not UTF-8, or that a NUL stands among them."""
    if problem := not_encoded(path, data):
        return problem
    at = data.decode("utf-8-sig").find("\x00") if b"\x00" in data else -1
    if at < 0:
        return None
    return Problem(path, f"has a NUL character at offset {at}", "It is probably not a text file: leave it out.")


def not_encoded(path: Path, data: bytes) -> Problem | None:
    """What keeps the bytes from being UTF-8: UTF-16 of a Latin text would decode, with a NUL for every other character."""
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return not_utf8(path, data, error)
    wide = _wide(data)
    return _convert(path, wide) if wide else None


def not_utf8(path: Path, data: bytes, error: UnicodeDecodeError) -> Problem:
    """The problem of a file whose bytes are not UTF-8."""
    if wide := _wide(data):
        return _convert(path, wide)
    return Problem(
        path,
        f"is not valid UTF-8 (byte 0x{error.object[error.start]:02x} at offset {error.start})",
        f"Save it as UTF-8; if it is Western Windows text: iconv -f CP1252 -t UTF-8 '{path.name}' > utf8.txt",
    )


def _wide(data: bytes) -> str:
    """``UTF-16`` or ``UTF-32`` where a mark says so, or where the bytes of every character of a Latin text stand so."""
    for mark, name in _MARKED:
        if data.startswith(mark):
            return name
    head = data[:_EXAMINED]
    empty = [head[at::4].count(0) > len(head) // 8 for at in range(4)]  # more than half of each character's byte
    return {
        (False, True, True, True): "UTF-32LE",
        (True, True, True, False): "UTF-32BE",
        (False, True, False, True): "UTF-16LE",
        (True, False, True, False): "UTF-16BE",
    }.get((empty[0], empty[1], empty[2], empty[3]), "")


def _convert(path: Path, encoding: str) -> Problem:
    return Problem(
        path, f"is {encoding}, not UTF-8", f"Convert it: iconv -f {encoding} -t UTF-8 '{path.name}' > utf8.txt"
    )
