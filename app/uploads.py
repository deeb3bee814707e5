"""Files that people upload, written to a folder of their own under the names that people gave them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

LONGEST_NAME = 200  # bytes of UTF-8


def kept(files: Iterable[tuple[str, BinaryIO]], folder: Path) -> list[Path]:
    """Write files, each a name with what it holds, into a folder; of equal names, each in a folder of its own."""
    paths: list[Path] = []
    for number, (name, content) in enumerate(files, start=1):
        path = folder / safe(name)
        if path in paths:
            path = folder / str(number) / path.name
            path.parent.mkdir()
        with path.open("wb") as written:
            shutil.copyfileobj(content, written)
        paths.append(path)
    return paths


def safe(name: str) -> str:
    """The last part of a file's name, without what a file system takes for something else."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(". ")
    stem, dot, suffix = plain.rpartition(".")
    while len(plain.encode(errors="replace")) > LONGEST_NAME and stem:
        stem = stem[:-1]
        plain = f"{stem}{dot}{suffix}"
    return plain[-LONGEST_NAME:].encode(errors="replace").decode() or "unnamed"
