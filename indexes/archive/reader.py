"""Reading an archive: all of it is checked before anything is used, and each member again when it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tarfile import BLOCKSIZE, REGTYPE, HeaderError, TarInfo
from typing import Any, BinaryIO

from indexes.archive.layout import (
    ABOUT,
    APPLICATION,
    ENDING,
    FORMAT,
    LARGEST,
    SUMS,
    Member,
    ending,
    fits,
    header,
    padding,
)
from indexes.errors import InputError

CHUNK = 1 << 20
LARGEST_ABOUT = 16 << 20

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that was checked.

    Parameters
    ----------
    path
        Of the file.
    about
        What ``symposia.json`` says.
    members
        By name, in their order; ``symposia.json`` and ``SHA256SUMS`` are not among them.
    size
        Of the file, in bytes.
    """

    path: Path
    about: Mapping[str, Any]
    members: Mapping[str, Member]
    size: int

    @property
    def kind(self) -> str:
        """``slice`` or ``backup``."""
        return str(self.about["kind"])

    def below(self, prefix: str) -> list[Member]:
        """The members whose names begin so, in their order."""
        return [member for name, member in self.members.items() if name.startswith(prefix)]

    def read(self, member: Member) -> bytes:
        """The content of a member that is small enough to be held."""
        if member.size > LARGEST:
            raise damaged(self.path, f"{member.name} has {member.size} bytes; at most {LARGEST} were written")
        return b"".join(self.pieces(member))

    def copy(self, member: Member, target: Path) -> None:
        """Write a member to a new file, with its mode, a piece at a time; the folder is made where absent."""
        target.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(target, flags, member.mode & 0o777), "wb") as file:
            for piece in self.pieces(member):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())

    def pieces(self, member: Member) -> Iterator[bytes]:
        """The content of a member; an ``InputError`` at its end if it is not what was checked."""
        digest, left = sha256(), member.size
        with self.path.open("rb") as file:
            file.seek(member.offset)
            while left:
                piece = file.read(min(CHUNK, left))
                if not piece:
                    break
                digest.update(piece)
                left -= len(piece)
                yield piece
        if digest.hexdigest() != member.sha256:
            raise damaged(self.path, f"{member.name} was changed since the file was checked")


def open_archive(path: Path, kind: str, report: Report | None = None) -> Archive:
    """Check every byte of an archive.

    Parameters
    ----------
    kind
        That it must be: ``slice`` or ``backup``; empty for any.
    report
        Told the bytes that were checked and those that there are.

    Raises
    ------
    InputError
        It cannot be read, is no archive, of another kind, written by a newer version, cut short, or was changed.
    """
    try:
        with path.open("rb") as file:
            return _Check(path, file, report).archive(kind)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Name a file that can.") from error


def damaged(path: Path, why: str) -> InputError:
    """The error for an archive whose content is not what was written."""
    return InputError(f"{path} is damaged: {why}.", "Use another copy of it, or make it anew; nothing was changed.")


class _Check:
    """One pass over a file, in which everything is checked.

    ``_whole`` is the digest of all that was read.
    """

    def __init__(self, path: Path, file: BinaryIO, report: Report | None) -> None:
        self._path = path
        self._file = file
        self._report = report
        self._whole = sha256()
        self._at = 0
        self._size = os.fstat(file.fileno()).st_size

    def archive(self, kind: str) -> Archive:
        about = self._about()
        members: dict[str, Member] = {}
        listed: Member | None = None
        while self._at < self._size - ENDING:
            if listed is not None:
                raise damaged(self._path, f"members follow its list, {SUMS}")
            name, size, mode = self._header()
            member = self._member(name, size, mode)
            if name == SUMS:
                listed = member
            elif name in members or name == ABOUT:
                raise damaged(self._path, f"it has two members named {name}")
            else:
                members[name] = member
        self._check_end(listed)
        self._check_list(listed, [Member(ABOUT, 0, 0, about[1]), *members.values()])
        if kind and about[0]["kind"] != kind:
            raise self._other(str(about[0]["kind"]))
        return Archive(self._path, about[0], members, self._size)

    def _about(self) -> tuple[dict[str, Any], str]:
        """What the first member says, and its digest. Done first, since a newer format may differ in all the rest."""
        start = self._file.read(BLOCKSIZE)
        if len(start) < BLOCKSIZE or not start.startswith(header(ABOUT, 0)[: len(ABOUT) + 1]):
            raise InputError(
                f"{self._path} is no archive of Symposia.",
                "Name a file that `symposia export` or `symposia backup` wrote.",
            )
        self._took(start)
        _, size, _ = self._parsed(start)
        if size > LARGEST_ABOUT:
            raise damaged(self._path, f"{ABOUT} has {size} bytes")
        content = self._take(size, spare=0)
        try:
            about = json.loads(content)
            if about["application"] != APPLICATION or not isinstance(about["format"], int):
                raise ValueError("it is another program's")
            str(about["kind"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise damaged(self._path, f"{ABOUT} cannot be read ({error})") from error
        if about["format"] > FORMAT:
            raise InputError(
                f"{self._path} has format {about['format']}, written by a newer Symposia ({about.get('version')}); this one "
                f"reads up to {FORMAT}.",
                "Update Symposia.",
            )
        self._filled(size)
        return about, sha256(content).hexdigest()

    def _header(self) -> tuple[str, int, int]:
        return self._parsed(self._take(BLOCKSIZE))

    def _parsed(self, block: bytes) -> tuple[str, int, int]:
        try:
            info = TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except HeaderError as error:
            raise damaged(self._path, f"byte {self._at - BLOCKSIZE} begins no member ({error})") from error
        if info.type != REGTYPE or not fits(info.name) or header(info.name, info.size, info.mode) != block:
            raise damaged(self._path, f"it has a member that Symposia never writes, {info.name[:200]!r}")
        return info.name, info.size, info.mode

    def _member(self, name: str, size: int, mode: int) -> Member:
        offset, digest, left = self._at, sha256(), size
        while left:
            piece = self._take(min(CHUNK, left))
            digest.update(piece)
            left -= len(piece)
        self._filled(size)
        return Member(name, offset, size, digest.hexdigest(), mode)

    def _filled(self, size: int) -> None:
        filling = padding(size)
        if self._take(len(filling)) != filling:
            raise damaged(self._path, "the space between two members is not empty")

    def _check_end(self, listed: Member | None) -> None:
        if self._file.read(ENDING + 1) != ending(self._whole.hexdigest()) or listed is None:
            raise damaged(self._path, "its checksum is not that of its content")

    def _check_list(self, listed: Member | None, members: list[Member]) -> None:
        if listed is None or listed.sha256 != sha256("".join(m.line for m in members).encode()).hexdigest():
            raise damaged(self._path, f"its members are not those of its list, {SUMS}")

    def _other(self, kind: str) -> InputError:
        use = {"slice": "symposia import FILE", "backup": "symposia restore FILE"}.get(kind, "the command that made it")
        return InputError(f"{self._path} is a {kind}.", f"Use `{use}` for it.")

    def _take(self, count: int, spare: int = ENDING) -> bytes:
        if self._at + count > self._size - spare:
            raise InputError(
                f"{self._path} was cut short: it ends after {self._size} bytes, in the middle of a member.",
                "Copy it again, or make it anew; nothing was changed.",
            )
        content = self._file.read(count)
        if len(content) < count:
            raise damaged(self._path, "it became shorter while it was read")
        self._took(content)
        return content

    def _took(self, content: bytes) -> None:
        self._whole.update(content)
        self._at += len(content)
        if self._report is not None:
            self._report(self._at, self._size)
