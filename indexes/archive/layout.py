"""What an archive looks like: a plain tar of regular files with short names, made so that every byte of it is checked.

    symposia.json              what it is: kind, format, when and by which version it was made
    slices/1/slice.json        its manifest
    slices/1/files/...         what lies beside its points: adapter, card, what the expert has learned
    slices/1/points/000000000000.npz       ids, vectors and terms of up to a thousand passages
    slices/1/points/000000000000.jsonl.gz  their payloads, a line each
    slices/1/passages          how many passages there are
    home/..., settings.toml    of a backup: the other files of the home, and the settings file
    SHA256SUMS                 of all members above, as ``sha256sum -c`` reads it
    ARCHIVE-SHA256             of every byte of the file above

``tar`` opens it. Nothing in it is compressed but the payloads, so that what it unpacks to is bounded by its size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from tarfile import BLOCKSIZE, GNU_FORMAT, REGTYPE, TarInfo

FORMAT = 1
ABOUT = "symposia.json"
SUMS = "SHA256SUMS"
WHOLE = "ARCHIVE-SHA256"
APPLICATION = "symposia"
SUFFIX = ".symposia"

LARGEST_TEXT = 64 << 20
"""Bytes of the payloads of one batch, at most, unpacked."""
LARGEST = 1 << 30
"""Bytes of a member that is read whole, at most: the arrays of one batch, of which a single passage may have many terms."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_LONGEST = 99  # what a tar header holds without an extension


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive.

    Parameters
    ----------
    offset
        Where its content begins in the archive.
    size
        Of the content, in bytes.
    sha256
        Of the content, in hexadecimal.
    mode
        Who may read and write it.
    """

    name: str
    offset: int
    size: int
    sha256: str
    mode: int = 0o644

    @property
    def line(self) -> str:
        """As it stands in ``SHA256SUMS``."""
        return f"{self.sha256}  {self.name}\n"


def fits(name: str) -> bool:
    """Whether a member may have this name: relative, without ``..``, hidden parts, or anything that a disk takes amiss."""
    return len(name) <= _LONGEST and _NAME.fullmatch(name) is not None


def header(name: str, size: int, mode: int = 0o644) -> bytes:
    """The 512 bytes in front of a member: the same for the same arguments, whoever writes it and when."""
    info = TarInfo(name)
    info.size, info.mode, info.type = size, mode & 0o777, REGTYPE
    return info.tobuf(GNU_FORMAT)


def padding(size: int) -> bytes:
    """What fills a member's content up to whole blocks."""
    return bytes(-size % BLOCKSIZE)


def ending(digest: str) -> bytes:
    """The last bytes of an archive: its last member, which says the SHA-256 of all before, and the end of a tar."""
    content = f"{digest}\n".encode()
    return header(WHOLE, len(content)) + content + padding(len(content)) + bytes(2 * BLOCKSIZE)


ENDING = len(ending("0" * 64))
