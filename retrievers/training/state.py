"""What an interrupted training has finished, so that the same command goes on from there."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes import atomic
from retrievers.arrays import read_arrays

FOLDER = "training"
KEY = "key"

Arrays = Mapping[str, NDArray[Any]]


class State:
    """Named sets of arrays in ``<slice>/training``, valid for one training: its data, options, encoder and slice.

    Parameters
    ----------
    slice_folder
        Of the slice.
    key
        See ``key_of``. What another training left behind is removed, and ``discarded`` says so.
    """

    def __init__(self, slice_folder: Path, key: str) -> None:
        self.folder = slice_folder / FOLDER
        found = self._key()
        self.discarded = self.folder.exists() and found != key
        self.resumed = found == key
        if self.discarded:
            self.clear()
        if not self.resumed:
            atomic.write(self.folder / KEY, key.encode())

    def part(self, name: str) -> Part:
        """One set of arrays."""
        return Part(self.folder / f"{name}.npz")

    def clear(self) -> None:
        """Remove everything: the training has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _key(self) -> str | None:
        try:
            return (self.folder / KEY).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None


class Part:
    """A set of arrays on disk, replaced whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, NDArray[Any]] | None:
        """What was kept; ``None`` where nothing was, or the file is damaged."""
        return read_arrays(self.path)

    def keep(self, arrays: Arrays) -> None:
        """Replace what was kept."""
        content = io.BytesIO()
        np.savez(content, **arrays)  # type: ignore[arg-type]
        atomic.write(self.path, content.getvalue())

    def drop(self) -> None:
        """Forget what was kept."""
        self.path.unlink(missing_ok=True)


def key_of(**what: object) -> str:
    """16 hex characters over everything that a training's result depends on."""
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()[:16]
