"""A slice as a file: exported, and imported again here or elsewhere, under its name or another."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexes.archive.reader import open_archive
from indexes.archive.slices import Packed, Report, name_in, pack, unpack_slice
from indexes.archive.staging import finish, held, locked, staged
from indexes.archive.writer import new_archive
from indexes.errors import InputError, unknown_expert
from indexes.manifest import Manifest
from indexes.slice import OpenStore, check_name

KIND = "slice"
PREFIX = "slices/1/"


@dataclass(frozen=True, slots=True)
class Transfer:
    """What an export or import did.

    Parameters
    ----------
    manifest
        Of the slice as it is in the file, or now here.
    bytes
        Of the file.
    replaced
        Whether a slice of that name was here before.
    """

    manifest: Manifest
    points: int
    bytes: int
    seconds: float
    replaced: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "expert": self.manifest.name,
            "encoder": self.manifest.fingerprint.to_dict(),
            "passages": self.points,
            "bytes": self.bytes,
            "seconds": self.seconds,
            "replaced": self.replaced,
        }


def export_slice(
    slices: Path, name: str, path: Path, open_store: OpenStore, on_progress: Report | None = None
) -> Transfer:
    """Write the slice ``name`` of the folder ``slices`` to a file, which appears whole or not at all.

    Parameters
    ----------
    on_progress
        Told what is being done, and the number of passages it was done for.

    Raises
    ------
    InputError
        There is no such slice, or the file is one that is not to be overwritten.
    StoreError
        The slice is in use by another process, or the file cannot be written.
    """
    started = time.perf_counter()
    finish(slices)
    check_name(name)
    if not (slices / name).is_dir():
        raise unknown_expert(name, (each.parent.name for each in slices.glob("*/slice.json")))
    about = {"slice": name}
    with new_archive(path, KIND, about) as writer:
        packed = pack(writer, PREFIX, slices / name, open_store, on_progress)
    return Transfer(packed.manifest, packed.points, path.stat().st_size, time.perf_counter() - started)


def import_slice(
    path: Path,
    slices: Path,
    open_store: OpenStore,
    *,
    name: str = "",
    replacing: bool = False,
    on_progress: Report | None = None,
) -> Transfer:
    """Make a slice from a file. It is there from one moment to the next; interrupted before, nothing has changed.

    Parameters
    ----------
    name
        Other than the one that it has in the file, if given.
    replacing
        Whether it may take the place of a slice of that name.

    Raises
    ------
    InputError
        The file is no slice's or damaged, or the name is taken.
    StoreError
        The slice to be replaced is in use by another process, or the disk or the server refused.
    """
    started = time.perf_counter()
    if name:
        check_name(name)
    archive = open_archive(path, KIND, None if on_progress is None else lambda at, _: on_progress("bytes checked", at))
    named = name or name_in(archive, PREFIX)
    slices.parent.mkdir(parents=True, exist_ok=True)
    with locked(slices.parent), staged(slices, open_store) as staging:  # nothing is restored into the home meanwhile
        exists = (slices / named).exists()
        if exists and not replacing:
            raise InputError(
                f"There is an expert named {named!r} already.",
                "Import under another name with --expert NAME, or put it in that one's place with --replace.",
            )
        with held([slices / named]):
            packed: Packed = unpack_slice(archive, PREFIX, staging.new / named, open_store, named, on_progress)
            staging.commit([named])
    return Transfer(packed.manifest, packed.points, archive.size, time.perf_counter() - started, exists)
