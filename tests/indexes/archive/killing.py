"""Kills a piece of work at one moment after another, each time in a fresh copy of a folder, and looks at what is left.

Run as ``python -m tests.indexes.archive.killing MODULE:CASE FOLDER STRIDE``. A moment is whatever the operating system is
asked to do with a file (open, rename, remove, …) or to write to the disk. The process that forks never opens a store, since
a process with threads is not to be forked.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import indexes.store.edge  # noqa: F401 (once, instead of in every child)

EVENTS = frozenset(
    ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree", "sqlite3.connect")
)


class Case(Protocol):
    """What is killed, and what must hold after it."""

    def prepare(self, folder: Path) -> None:
        """Make the state before."""

    def work(self, folder: Path) -> None:
        """What is killed."""

    def check(self, folder: Path) -> None:
        """Fails unless the state is the old or the new one."""

    def finished(self, folder: Path) -> None:
        """Fails unless the state is the new one and nothing else is left."""


def main(name: str, folder: Path, stride: int) -> None:
    module, case_name = name.split(":")
    case: Case = getattr(importlib.import_module(module), case_name)()
    before, at_work = folder / "before", folder / "at-work"
    before.mkdir()
    in_child(lambda: case.prepare(before))
    moment, killed = 1, True
    kills = 0
    while killed:
        shutil.rmtree(at_work, ignore_errors=True)
        shutil.copytree(before, at_work)
        killed = in_child(lambda: case.work(at_work), moment)
        kills += killed
        in_child(lambda: case.check(at_work))
        in_child(lambda: case.work(at_work))
        in_child(lambda: case.finished(at_work))
        sys.stderr.write(f"moment {moment}: {'killed' if killed else 'came to its end'}\n")
        moment += stride
    sys.stdout.write(f"{kills}\n")


def in_child(work: Callable[[], None], moment: int = 0) -> bool:
    """Run in another process; whether it was killed, which happens at that moment unless it is 0."""
    child = os.fork()
    if child == 0:
        try:
            if moment:
                die_at(moment)
            work()
            sys.stdout.flush()
            os._exit(0)
        except BaseException:  # noqa: BLE001 (the edge of a process)
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and moment:
        return True
    if status:
        raise SystemExit(f"moment {moment}: status {status}")
    return False


def die_at(moment: int) -> None:
    """Kill this process at its ``moment``-th call of the file system."""
    left = moment

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    synced = os.fsync

    def fsync(handle: int) -> None:
        count()
        synced(handle)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in EVENTS and not str(arguments[0]).endswith((".py", ".pyc", ".so")):
            count()

    os.fsync = fsync
    sys.addaudithook(hook)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
