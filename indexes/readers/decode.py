"""Bytes to text: UTF-8 or a reported problem, never a guess."""

from __future__ import annotations

import codecs
from pathlib import Path

from indexes.readers.problem import OnProblem, Problem

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(path: Path, on_problem: OnProblem) -> str | None:
    """The file's text, or ``None`` once its problem is reported.

    A byte order mark is dropped and line ends become line feeds, so the same text written on another system has the same
    id; ``path.read_text("utf-8-sig")`` gives the same characters at the same offsets.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        on_problem(not_utf8(path, data, error))
        return None
    if "\x00" in text:
        at = text.index("\x00")
        on_problem(
            Problem(path, f"has a NUL character at offset {at}", "It is probably not a text file: leave it out.")
        )
        return None
    return newlines(text)


def newlines(text: str) -> str:
    """Every line end as a line feed, as Python's text files have them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def not_utf8(path: Path, data: bytes, error: UnicodeDecodeError) -> Problem:
    """The problem of a file whose bytes are not UTF-8."""
    if data.startswith(_UTF16):
        return Problem(path, "is UTF-16, not UTF-8", f"Convert it: iconv -f UTF-16 -t UTF-8 '{path.name}' > utf8.txt")
    return Problem(
        path,
        f"is not valid UTF-8 (byte 0x{error.object[error.start]:02x} at offset {error.start})",
        f"Save it as UTF-8; if it is Western Windows text: iconv -f CP1252 -t UTF-8 '{path.name}' > utf8.txt",
    )
