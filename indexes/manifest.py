"""A slice's manifest: what it holds, and what it was built with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexes import atomic
from indexes.encoders.base import Fingerprint
from indexes.errors import SliceError, StoreError
from indexes.lexical import Bm25Settings
from indexes.migrations import FORMAT, migrated

FILE = "slice.json"
SEPARATOR = "~"  # no slice's name holds it, so that no two stores are called the same


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about a slice but its points.

    Parameters
    ----------
    name
        The slice's name, which is its expert's name.
    description
        One or two sentences for people, and for the router's explanations.
    fingerprint
        Of the encoder that made the vectors.
    bm25
        Parameters of the sparse vectors; fixed at creation.
    passages
        Number of stored passages when the manifest was last written.
    updated
        UTC time of the last change, ISO 8601.
    adapter
        Key of the adapter that the stored vectors were moved by; empty where they are the encoder's own.
    pending
        Whether the stored vectors are being replaced, so that some are and some are not.
    generation
        Which of a slice's generations this is: empty for the first, else the key of its encoder's fingerprint. Each has a
        store and a folder of its own; see ``indexes.generations``.
    """

    name: str
    description: str
    fingerprint: Fingerprint
    bm25: Bm25Settings
    passages: int = 0
    updated: str = ""
    adapter: str = ""
    pending: bool = False
    generation: str = ""

    @property
    def store_name(self) -> str:
        """What the store of this generation is called: the slice's name, or ``name~generation``."""
        return f"{self.name}{SEPARATOR}{self.generation}" if self.generation else self.name

    def store_folder(self, folder: Path) -> Path:
        """Where all lies that was made with this generation's encoder: the slice's ``folder``, or one in it."""
        return folder / self.generation if self.generation else folder

    def write(self, folder: Path, file: str = FILE) -> Manifest:
        """Write atomically, stamped with the present time; returns what was written."""
        stamped = replace(self, updated=datetime.now(UTC).isoformat(timespec="microseconds"))
        stamped.keep(folder, file)
        return stamped

    def keep(self, folder: Path, file: str = FILE) -> None:
        """Write atomically, with the stamp that it has; a ``StoreError`` where the disk is full or cannot be written."""
        try:
            atomic.write(folder / file, json.dumps({"format": FORMAT, **asdict(self)}, indent=2).encode(), alone=True)
        except OSError as error:
            raise StoreError(
                f"{folder / file} cannot be written: {error.strerror or error}.",
                "Free some space, or see to it that the folder may be written; then run the same again: it goes on.",
            ) from error

    @classmethod
    def read(cls, folder: Path, file: str = FILE) -> Manifest:
        """Read ``folder/slice.json``, of an older format too; a ``SliceError`` says what is wrong with it."""
        try:
            values: dict[str, Any] = json.loads((folder / file).read_text(encoding="utf-8"))
            return cls.of(values, folder)
        except FileNotFoundError as error:
            raise SliceError(
                f"There is no slice at {folder}.",
                "List the experts with `symposia experts`, or make one with `symposia add PATH --expert NAME`.",
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SliceError(
                f"The manifest of the slice at {folder} is damaged: {error}",
                f"Restore {file} from a copy, or remove the folder and add the documents again.",
            ) from error

    @classmethod
    def of(cls, values: Mapping[str, Any], folder: Path) -> Manifest:
        """From JSON values of any format; ``folder`` is named where that is a newer one, which is a ``SliceError``."""
        current = migrated(values, folder)
        fingerprint, bm25 = Fingerprint(**current.pop("fingerprint")), Bm25Settings(**current.pop("bm25"))
        return cls(**current, fingerprint=fingerprint, bm25=bm25)


def check_fingerprint(manifest: Manifest, fingerprint: Fingerprint) -> None:
    """Raise a ``SliceError`` that says how to mend it where a slice was built with another encoder."""
    if manifest.fingerprint == fingerprint:
        return
    built, given = manifest.fingerprint, fingerprint
    if replace(built, precision=given.precision) == given:
        raise SliceError(
            f"Slice {manifest.name!r} was built with {built.precision} vectors of {built.model}, but the settings ask for "
            f"{given.precision} ones; they are not to be mixed.",
            f'Set models.runtime = "{built.precision}", or encode the slice anew: `symposia reencode`.',
        )
    raise SliceError(
        f"Slice {manifest.name!r} was built with encoder {built.model} (revision {built.revision}, {built.dimension} "
        f"dimensions), but the settings name {given.model} (revision {given.revision}, {given.dimension} dimensions).",
        f"Set [models] encoder back to {built.model!r}, or encode the slice anew: `symposia reencode`.",
    )
