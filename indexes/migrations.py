"""From the formats that manifests had to the one that they have: a chain of steps, each a pure function on the JSON values.

A manifest is migrated whenever it is read, and stands in the newest format once it is written again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from indexes.errors import SliceError

Values = dict[str, Any]


def migrated(values: Mapping[str, Any], folder: Path) -> Values:
    """The values in the present format, without the number of it; what was given stays as it is.

    Raises
    ------
    SliceError
        Where the format is newer than this version of Symposia; ``folder`` is where the slice lies.
    KeyError, TypeError, ValueError
        Where the values are no manifest's.
    """
    current = dict(values)
    number = current.pop("format")
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"its format is {number!r}")
    if number > FORMAT:
        raise SliceError(
            f"The slice at {folder} was written by a newer version of Symposia: in format {number}, while this version "
            f"knows those up to {FORMAT}.",
            "Update Symposia, or restore the slice from a backup that this version wrote.",
        )
    for step in STEPS[number - 1 :]:
        current = step(current)
    return current


def _with_generation(values: Values) -> Values:
    """From 1 to 2: a slice has generations, and what some writers of format 1 left out is there.

    Without a precision there was none but ``float32``; without an adapter, none that moved passages.
    """
    fingerprint = {"precision": "float32", **values["fingerprint"]}
    return {"adapter": "", "pending": False, "generation": "", **values, "fingerprint": fingerprint}


STEPS: tuple[Callable[[Values], Values], ...] = (_with_generation,)
"""The first leads from format 1 to 2, and so on."""

FORMAT = len(STEPS) + 1
