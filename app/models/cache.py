"""The cache folder: where models lie, how they are recorded there, and how files are checked.

``CACHE/NAME`` is a finished model, put there in one move; ``CACHE/.partial/NAME`` is what a fetch has so far.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.models.manifest import PinnedFile

RECORD = "symposia.json"


def default_cache() -> Path:
    """The user's cache folder for models; the settings may name another."""
    from platformdirs import user_cache_path

    return user_cache_path("symposia", appauthor=False) / "models"


def model_folder(cache: Path, name: str) -> Path:
    """Where the finished model lies."""
    return cache / name


def partial_folder(cache: Path, name: str) -> Path:
    """Where an unfinished fetch keeps what it has."""
    return cache / ".partial" / name


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def has_size(path: Path, size: int) -> bool:
    """True where the file is there with this size."""
    return path.is_file() and path.stat().st_size == size


def matches(path: Path, size: int, sha256: str) -> bool:
    """True where the file is there with this content; the size is compared first, as it costs nothing."""
    return has_size(path, size) and sha256_of(path) == sha256


def pin_files(folder: Path) -> tuple[PinnedFile, ...]:
    """Size and sha256 of every file below a folder, by path; the record itself is left out."""
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return tuple(
        PinnedFile(path, (folder / path).stat().st_size, sha256_of(folder / path)) for path in paths if path != RECORD
    )


def write_record(folder: Path, facts: Mapping[str, Any], files: Iterable[PinnedFile]) -> None:
    """Write ``symposia.json``: what the folder holds, where it came from, and the sha256 of each file.

    There is no date in it, so the same model has the same record on every machine with the same libraries.
    """
    record = {**facts, "files": [asdict(file) for file in files]}
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def read_record(folder: Path) -> tuple[PinnedFile, ...] | None:
    """The files that a finished folder must hold; None where there is no record, or it cannot be read."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return tuple(PinnedFile(**file) for file in record["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def looks_whole(folder: Path) -> bool:
    """True where every recorded file is there with its size. Content is not read: ``verify`` does that."""
    files = read_record(folder)
    return files is not None and all(has_size(folder / file.path, file.size) for file in files)


def bytes_below(folder: Path) -> int:
    """Bytes in all files below a folder that another program may be changing: what vanishes meanwhile does not count."""
    total = 0
    for place, _, names in os.walk(folder):  # unlike rglob, passes over a folder that is gone when its turn comes
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(place) / name).stat().st_size
    return total


def install(ready: Path, folder: Path, partial: Path) -> None:
    """Move a finished model into place in one step, an earlier one aside, then drop what was left over."""
    if folder.exists():
        aside = partial / "replaced"
        shutil.rmtree(aside, ignore_errors=True)
        folder.replace(aside)
    ready.replace(folder)
    shutil.rmtree(partial, ignore_errors=True)
