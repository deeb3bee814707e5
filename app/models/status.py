"""What is in the cache: a cheap look at all models, and a full check of one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from app.models.cache import (
    RECORD,
    bytes_below,
    default_cache,
    looks_whole,
    model_folder,
    partial_folder,
    read_record,
    sha256_of,
)
from app.models.manifest import Manifest, Model, PinnedFile, WheelSource, load_manifest, nearest
from indexes.errors import MissingModelError

State = Literal["ready", "partial", "missing", "damaged"]


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file of a model, checked: ``found`` is None where it is not there."""

    file: str
    ok: bool
    expected: str
    found: str | None


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One row of ``symposia models list``.

    Parameters
    ----------
    download
        Bytes to download from the preferred source.
    size
        Bytes in the cache when ready.
    state
        ``partial``: a fetch was interrupted and can go on. ``damaged``: files are missing or have another size.
    """

    name: str
    role: str
    description: str
    licence: str
    download: int
    size: int
    default: bool
    state: State
    folder: Path

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "folder": str(self.folder)}


def status(cache: Path | None = None, *, manifest: Manifest | None = None) -> list[ModelStatus]:
    """Every model of the manifest, in its order. Only sizes are looked at."""
    models = load_manifest() if manifest is None else manifest
    folder = default_cache() if cache is None else cache
    return [_row(model, folder) for model in models.values()]


def verify(name: str, cache: Path | None = None, *, manifest: Manifest | None = None) -> list[FileCheck]:
    """Read every file of a model in the cache and compare its sha256.

    Delivered files are compared with the manifest, converted ones with the record that was written beside them.

    Raises
    ------
    MissingModelError
        The manifest has no such model, or the cache does not hold it.
    """
    models = load_manifest() if manifest is None else manifest
    model = models.get(name)
    if model is None:
        meant = nearest(name, models)
        advice = f"Did you mean {meant!r}?" if meant else "Known: " + ", ".join(models)
        raise MissingModelError(f"There is no model {name!r} in the manifest.", advice)
    folder = model_folder(default_cache() if cache is None else cache, name)
    if not folder.is_dir():
        raise MissingModelError(
            f"The model {name!r} is not in the cache ({folder}).", f"Fetch it with: symposia models fetch {name}"
        )
    record = read_record(folder)
    if record is None:
        found = "unreadable" if (folder / RECORD).exists() else None
        return [FileCheck(RECORD, ok=False, expected="a readable record", found=found)]
    return [_check(folder, file) for file in (record if model.format == "gguf" else model.files)]


def _check(folder: Path, file: PinnedFile) -> FileCheck:
    path = folder / file.path
    found = sha256_of(path) if path.is_file() else None
    return FileCheck(file.path, found == file.sha256, file.sha256, found)


def _row(model: Model, cache: Path) -> ModelStatus:
    folder = model_folder(cache, model.name)
    return ModelStatus(
        name=model.name,
        role=model.role,
        description=model.description,
        licence=model.licence,
        download=_download_size(model),
        size=model.ready_size,
        default=model.default,
        state=_state(folder, partial_folder(cache, model.name)),
        folder=folder,
    )


def _state(folder: Path, partial: Path) -> State:
    if looks_whole(folder):
        return "ready"
    if folder.exists():
        return "damaged"
    return "partial" if bytes_below(partial) > 0 else "missing"


def _download_size(model: Model) -> int:
    first = model.sources[0]
    return sum(wheel.size for wheel in first.wheels) if isinstance(first, WheelSource) else model.delivered_size
