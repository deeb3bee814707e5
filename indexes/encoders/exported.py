"""Where exported encoders lie: one folder each, put there in one move.

``CACHE/.onnx/NAME-REVISION-PRECISION-FORMAT.OPSET/`` holds ``model.onnx`` (token ids in, a vector out), ``tokenizer.json``
(truncating, not padding) and ``export.json`` (what it was made of, and how near its vectors were to torch's).
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from indexes.encoders.base import Fingerprint
from indexes.errors import StoreError

FORMAT = 1
OPSET = 17
MODEL, TOKENIZER, RECORD = "model.onnx", "tokenizer.json", "export.json"

Make = Callable[[Path], Mapping[str, Any]]
"""Fills an empty folder, and says how."""


def export_folder(cache: Path, fingerprint: Fingerprint) -> Path:
    """Where the export of an encoder lies, whether or not it is there."""
    name = re.sub(r"[^\w.-]+", "-", fingerprint.model)
    return cache / ".onnx" / f"{name}-{fingerprint.revision}-{fingerprint.precision}-{FORMAT}.{OPSET}"


def is_whole(folder: Path) -> bool:
    """True where every recorded file is there with its size."""
    try:
        files = json.loads((folder / RECORD).read_text(encoding="utf-8"))["files"]
        return all((folder / name).stat().st_size == files[name] for name in (MODEL, TOKENIZER))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def ensure(folder: Path, make: Make) -> Path:
    """Give the folder, made first where it is not whole. Of several processes one makes it, and the others wait.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    if is_whole(folder):
        return folder
    from filelock import FileLock

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f"{folder.name}.lock"), is_singleton=False):
            if not is_whole(folder):
                _make(folder, make)
    except OSError as error:
        raise StoreError(
            f"The exported encoder could not be written to {folder}: {error.strerror or error}",
            'Free some room there, set models.cache to another folder, or set models.runtime = "torch".',
        ) from error
    return folder


def _make(folder: Path, make: Make) -> None:
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        facts = make(partial)
        files = {name: (partial / name).stat().st_size for name in (MODEL, TOKENIZER)}
        (partial / RECORD).write_text(json.dumps({**facts, "files": files}, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
