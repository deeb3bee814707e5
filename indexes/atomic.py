"""Writing a file so that whoever reads it, at whatever moment the writer is killed, finds the old one or the new one."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from glob import escape
from pathlib import Path

ABANDONED = 3600.0  # seconds after which a file that is half written has no writer any more


def write(path: Path, content: bytes, mode: int = 0o666, *, alone: bool = False) -> None:
    """Put ``content`` on the disk under ``path``, whole or not at all; makes the folder where there is none.

    Of several writers at once, in whatever processes, the last one's content stays. ``mode`` says who may read and write
    the file, less what the process's mask takes away. Where a lock keeps others from writing it, ``alone``, what a killed
    writer has left goes at once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path, 0.0 if alone else ABANDONED)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}.partial")
    try:
        with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)  # there where writing failed


def _sweep(path: Path, age: float) -> None:
    """Remove what writers of ``path`` that were killed have left, from so many seconds on."""
    for left in path.parent.glob(f"{escape(path.name)}.*partial"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime >= age:
                left.unlink()
