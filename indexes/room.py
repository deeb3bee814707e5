"""Room on the disk. It is asked for before anything is written, because afterwards it is too late.

The engine maps its files into memory. Where the disk has no room for a page that is written to, the system does not return an
error, it ends the process (SIGBUS), with whatever else the process was doing.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from indexes.errors import StoreError

STEP = 32 * 2**20  # bytes by which each of the engine's files grows
WRITING = 5 * STEP  # log, vectors, terms, texts, and one for all that is small
OPENING = 2 * STEP  # what the log holds is written again

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


def check_room(folder: Path, least: int = WRITING) -> None:
    """Raise a ``StoreError`` where the disk that holds ``folder`` has less than ``least`` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < least:
        raise full(folder, f"has {free >> 20} MiB left, and {least >> 20} MiB are needed to write safely")


def full(folder: Path, what: str = "is full") -> StoreError:
    """The error for a disk without room."""
    return StoreError(
        f"The disk that holds {folder} {what}.",
        "Free some space and run the same command again: nothing that was stored is lost, and it resumes.",
    )


def refused(folder: Path, error: OSError) -> StoreError:
    """What a failed attempt to write below ``folder`` means."""
    if error.errno in _FULL:
        return full(folder)
    reason = os.strerror(error.errno) if error.errno else str(error)
    what = "make it writable for this user, or" if error.errno in _CLOSED else "mend its disk, or"
    return StoreError(
        f"{folder} cannot be written: {reason}.",
        f"Nothing that was stored is lost: {what} set `home` to another folder, and run the same command again.",
    )
