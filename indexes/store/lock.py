"""One process at a time: the lock on a shard's folder, and the note that says who holds it."""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from indexes.errors import StoreError
from indexes.room import refused

OWNER = "owner.json"
LOCK = "owner.lock"


def lock(folder: Path) -> FileLock:
    """Take the folder for this process; a ``StoreError`` that names the holder where another has it.

    The operating system releases the lock when a process ends, however it ends, so a note that a killed process left
    behind keeps nobody out.
    """
    taken = FileLock(folder / LOCK, timeout=0, is_singleton=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken.acquire()
    except Timeout as error:
        raise StoreError(
            f"The slice at {folder} is in use by {_holder(folder)}.",
            "Close that program, or set [store] url to a Qdrant server so that several processes can share the slices "
            "(docker run -p 6333:6333 qdrant/qdrant).",
        ) from error
    except OSError as error:
        raise StoreError(
            f"The slice at {folder} cannot be opened: {error.strerror or error}",
            "It needs a folder that can be written: mend its permissions or its disk, or set `home` to another folder.",
        ) from error
    owner = {
        "pid": os.getpid(),
        "command": Path(sys.argv[0]).name if sys.argv else "python",
        "host": platform.node(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    try:
        (folder / OWNER).write_text(json.dumps(owner), encoding="utf-8")
    except OSError as error:
        taken.release()
        raise refused(folder, error) from error
    return taken


def _holder(folder: Path) -> str:
    try:
        owner: dict[str, Any] = json.loads((folder / OWNER).read_text(encoding="utf-8"))
        pid, command = int(owner["pid"]), str(owner["command"])
    except (OSError, ValueError, TypeError, KeyError):
        return "another process"
    host, since = owner.get("host", platform.node()), owner.get("since")
    if host != platform.node():
        return f"process {pid} ({command}) on {host}"
    if not _runs(pid):
        return f"another process (not {pid}, which is noted there and has ended)"
    return f"process {pid} ({command}{f', since {since}' if since else ''})"


def _runs(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # signal 0 would end the process there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
