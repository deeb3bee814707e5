"""GGUF files of people's own, unpacked once into the cache: reading one anew takes a minute, reading the result seconds.

``CACHE/.gguf/NAME-FINGERPRINT`` holds a file's weights, so a file that was replaced is unpacked again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from app.models.cache import install, looks_whole, partial_folder, pin_files, write_record
from app.models.child import Convert
from app.models.progress import Progress, watching
from generators.models.gguf import ADVICE
from generators.models.model_files import fingerprint
from indexes.errors import MissingModelError

FOLDER = ".gguf"
DIGITS = 12  # of the fingerprint


def unpacked_folder(path: Path, cache: Path) -> Path:
    """Where the unpacked model lies, or would.

    Raises
    ------
    MissingModelError
        There is no such file, or it is no GGUF file.
    """
    return cache / FOLDER / f"{path.stem}-{fingerprint(path)[:DIGITS]}"


def unpacked(path: Path, cache: Path) -> Path | None:
    """Folder of the unpacked model; None where it was not unpacked yet."""
    folder = unpacked_folder(path, cache)
    return folder if looks_whole(folder) else None


def unpack(path: Path, cache: Path, convert: Convert, report: Progress) -> Path:
    """Unpack a file; the caller sees to it that nobody else does.

    Raises
    ------
    MissingModelError
        It cannot be read, or there is too little memory.
    """
    folder = unpacked_folder(path, cache)
    partial = partial_folder(cache, folder.name)
    ready = partial / "converted"
    shutil.rmtree(ready, ignore_errors=True)
    ready.mkdir(parents=True)
    stage = f"unpacking {path.name}"
    report(stage, 0, None)
    try:
        with watching(ready, stage, report):
            how = convert(path, ready)
    except MissingModelError as error:
        problem = error.problem.replace("was downloaded but could not", "could not")
        raise MissingModelError(problem, ADVICE) from error
    facts = {"model": path.name, "converted_from": {"file": path.name, "bytes": path.stat().st_size, "kept": True}}
    write_record(ready, {**facts, **how}, pin_files(ready))
    folder.parent.mkdir(parents=True, exist_ok=True)
    install(ready, folder, partial)
    return folder
