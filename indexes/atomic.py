"""Writing a file so that whoever reads it, at whatever moment the writer is killed, finds the old one or the new one."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Put ``content`` on the disk under ``path``, whole or not at all; makes the folder where there is none.

    ``mode`` says who may read and write the file, less what the process's mask takes away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)  # what was left by an interruption keeps its mode
    with open(partial, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
