"""A slice's manifest: what it holds, and what it was built with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from indexes import atomic
from indexes.encoders.base import Fingerprint
from indexes.errors import SliceError
from indexes.lexical import Bm25Settings

FILE = "slice.json"
FORMAT = 1


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
    """

    name: str
    description: str
    fingerprint: Fingerprint
    bm25: Bm25Settings
    passages: int = 0
    updated: str = ""
    adapter: str = ""
    pending: bool = False

    def write(self, folder: Path) -> Manifest:
        """Write atomically, stamped with the present time; returns what was written."""
        stamped = replace(self, updated=datetime.now(UTC).isoformat(timespec="microseconds"))
        atomic.write(folder / FILE, json.dumps({"format": FORMAT, **asdict(stamped)}, indent=2).encode())
        return stamped

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read ``folder/slice.json``; a ``SliceError`` says what is wrong with it.

        A fingerprint without a precision was written when there was none but ``float32``, which is its default.
        """
        try:
            values: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if values.pop("format") != FORMAT:
                raise SliceError(
                    f"The slice at {folder} was written in another format than {FORMAT}.",
                    "Remove it and add its documents again, or use the version of Symposia that wrote it.",
                )
            values["fingerprint"] = Fingerprint(**values["fingerprint"])
            values["bm25"] = Bm25Settings(**values["bm25"])
            return cls(**values)
        except FileNotFoundError as error:
            raise SliceError(
                f"There is no slice at {folder}.",
                "List the experts with `symposia experts`, or make one with `symposia add PATH --expert NAME`.",
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SliceError(
                f"The manifest of the slice at {folder} is damaged: {error}",
                "Restore slice.json from a copy, or remove the folder and add the documents again.",
            ) from error


def check_fingerprint(manifest: Manifest, fingerprint: Fingerprint) -> None:
    """Raise a ``SliceError`` that says how to mend it where a slice was built with another encoder."""
    if manifest.fingerprint == fingerprint:
        return
    built, given = manifest.fingerprint, fingerprint
    if replace(built, precision=given.precision) == given:
        raise SliceError(
            f"Slice {manifest.name!r} was built with {built.precision} vectors of {built.model}, but the settings ask for "
            f"{given.precision} ones; they are not to be mixed.",
            f'Set models.runtime = "{built.precision}", or rebuild the slice: `symposia experts remove {manifest.name}` '
            "and add its documents again.",
        )
    raise SliceError(
        f"Slice {manifest.name!r} was built with encoder {built.model} (revision {built.revision}, {built.dimension} "
        f"dimensions), but the settings name {given.model} (revision {given.revision}, {given.dimension} dimensions).",
        f"Set [models] encoder back to {built.model!r}, or rebuild the slice: `symposia experts remove {manifest.name}` "
        "and add its documents again.",
    )
