"""Files are opened so that nothing waits and nothing is read without end, whatever stands under their names."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from indexes.readers.problem import Problem


def open_file(path: Path) -> BinaryIO:
    """The file at ``path``, open for reading bytes.

    Raises
    ------
    OSError
        Where it cannot be opened, or has become a pipe, a socket or a device since the folder was listed.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError("it is no file")


def read_whole(path: Path, most: int) -> bytes | Problem:
    """All bytes of the file, or the problem that they are more than ``most``. What its size says is not relied on."""
    with open_file(path) as file:
        data = file.read(most + 1)
        return data if len(data) <= most else too_large(path, max(os.fstat(file.fileno()).st_size, most + 1), most)


def too_large(path: Path, size: int, most: int) -> Problem:
    """The problem of a file of ``size`` bytes where ``most`` are read."""
    return Problem(
        path,
        f"has {size / 1e6:,.1f} MB; a {path.suffix.lower() or 'text'} file may have {most / 1e6:,.0f} MB",
        "Divide it into several files, or into rows of a .jsonl file.",
    )
