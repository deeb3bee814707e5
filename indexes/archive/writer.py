"""Writing an archive, member by member, in one pass and in bounded memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

from indexes.archive.layout import ABOUT, APPLICATION, FORMAT, SUMS, Member, ending, fits, header, padding
from indexes.errors import InputError, StoreError

CHUNK = 1 << 20


class Writer:
    """Appends members to a file that was opened for writing; ``finish`` makes it an archive.

    Parameters
    ----------
    file
        Written from its present position, which is its beginning.
    kind
        ``slice`` or ``backup``.
    about
        What else ``symposia.json`` is to say; plain JSON types.
    """

    def __init__(self, file: BinaryIO, kind: str, about: Mapping[str, Any]) -> None:
        self._file = file
        self._whole = sha256()
        self._size = 0
        self._members: dict[str, Member] = {}
        made = {"created": datetime.now(UTC).isoformat(timespec="seconds"), "version": _version()}
        values = {"application": APPLICATION, "kind": kind, "format": FORMAT, **made, **about}
        self.add(ABOUT, json.dumps(values, indent=2).encode())

    @property
    def members(self) -> int:
        """How many members were written."""
        return len(self._members)

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    def add(self, name: str, content: bytes, mode: int = 0o644) -> None:
        """Write a member."""
        with self._member(name, len(content), mode) as write:
            write(content)

    def add_file(self, name: str, path: Path, mode: int | None = None) -> None:
        """Write a file, as long as it is now, a piece at a time; with its own mode where none is given."""
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            left = status.st_size
            with self._member(name, left, status.st_mode if mode is None else mode) as write:
                while left:
                    piece = file.read(min(CHUNK, left))
                    if not piece:
                        raise StoreError(f"{path} became shorter while it was read.", "Run the same command again.")
                    write(piece)
                    left -= len(piece)

    def finish(self) -> None:
        """Write the list of members and the checksum of the whole."""
        self.add(SUMS, "".join(member.line for member in self._members.values()).encode())
        self._write(ending(self._whole.hexdigest()))

    @contextmanager
    def _member(self, name: str, size: int, mode: int) -> Iterator[Any]:
        if not fits(name) or name in self._members:
            raise InputError(
                f"A file named {name!r} cannot be put into an archive.", "Rename it, or move it elsewhere."
            )
        self._write(header(name, size, mode))
        offset, digest = self._size, sha256()

        def write(piece: bytes) -> None:
            digest.update(piece)
            self._write(piece)

        yield write
        self._write(padding(size))
        self._members[name] = Member(name, offset, size, digest.hexdigest(), mode)

    def _write(self, content: bytes) -> None:
        self._whole.update(content)
        self._file.write(content)
        self._size += len(content)


@contextmanager
def new_archive(path: Path, kind: str, about: Mapping[str, Any], mode: int = 0o666) -> Iterator[Writer]:
    """A writer of ``path``, which appears there, or takes the place of an older archive, when the body has ended well.

    What an interrupted attempt has left beside it is overwritten.

    Parameters
    ----------
    mode
        Who may read and write the file, less what the process's mask takes away.

    Raises
    ------
    InputError
        There is another file than an archive at ``path``.
    StoreError
        It cannot be written, or the disk is full; ``path`` is as it was.
    """
    _check_place(path)
    partial = path.with_name(path.name + ".partial")
    try:
        partial.unlink(missing_ok=True)  # what was left by an interruption keeps its mode
        with open(partial, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            writer = Writer(file, kind, about)
            yield writer
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}{_of(error, partial)}.",
            "Free some space or name a file in another folder, then run the same command again.",
        ) from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """See to it that the names in a folder are on the disk, where the system can do that."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _of(error: OSError, partial: Path) -> str:
    """Which file an error is about, where it is another than the one that is written."""
    return f" ({error.filename})" if error.filename and Path(str(error.filename)) != partial else ""


def _check_place(path: Path) -> None:
    start = header(ABOUT, 0)[: len(ABOUT) + 1]
    if path.is_dir():
        raise InputError(f"{path} is a folder.", "Name a file to be written.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", "Make it, or name a file elsewhere.")
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(start)) not in (b"", start):
                raise InputError(
                    f"{path} is there already and is no archive of Symposia.",
                    "Name another file, or move that one away.",
                )


def _version() -> str:
    try:
        return version("symposia")
    except PackageNotFoundError:
        return ""
