"""Reading lines and writing files, so that an error names its place and no half-written file is left behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from indexes.errors import InputError


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield ``(number, line)`` for every line that is not blank, counted from 1, without its line end.

    Raises
    ------
    InputError
        Where the file cannot be opened, or a line is not UTF-8.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.", "Check the path and its permissions.") from error
    with stream:
        for number, raw in enumerate(stream, start=1):
            line = _decoded(raw, path, number)
            if line.strip():
                yield number, line.rstrip("\r\n")


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(number, object)`` for every line of a JSONL file.

    Raises
    ------
    InputError
        Where a line is not one JSON object; the message has the file and the line number.
    """
    for number, line in numbered_lines(path):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise malformed(path, number, f"not JSON ({error})", "Each line must be one JSON object.") from error
        if not isinstance(record, dict):
            raise malformed(path, number, f"a JSON {type(record).__name__}", "Each line must be one JSON object.")
        yield number, record


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write ``lines`` to ``path`` whole or not at all: into a file beside it, which then takes its place.

    Raises
    ------
    InputError
        Where the folder cannot be made or written, or the disk is full. What stood at ``path`` is untouched.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A lone surrogate, which JSON input can hold, has no UTF-8 form; its escape is valid in JSON output.
        with temporary.open("w", encoding="utf-8", newline="\n", errors="backslashreplace") as stream:
            stream.writelines(f"{line}\n" for line in lines)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            f"Cannot write {path}: {error.strerror}.", "Free some space there, or name another folder for the results."
        ) from error
    finally:
        _remove(temporary)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write one JSON object, indented, whole or not at all.

    What JSON has no type for (a path, a date) is written as its text. NaN raises ``ValueError``, for it is not JSON.
    """
    write_lines(path, [json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False, default=str)])


def malformed(path: Path, number: int, problem: str, fix: str) -> InputError:
    """The error for one bad line, with its place as ``file:line``."""
    return InputError(f"{path}:{number}: {problem}.", fix)


def _decoded(raw: bytes, path: Path, number: int) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise malformed(path, number, f"not UTF-8 at byte {error.start}", "Save the file as UTF-8.") from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # the folder itself was never there, or is a file: there is nothing to remove
        return
