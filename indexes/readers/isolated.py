"""Readers in a process of their own, so that a file that makes a parser hang, crash or take all memory harms nothing else.

Parsers of PDF, DOCX, HTML and Markdown are large, and files come from anywhere. The process is started at the first such
file (0.1 s), reads one file after another (0.3 ms more than here), and ends by itself when there is nothing to read for a
while. A file that it does not finish is reported, and the next one gets a new process.

It guards against faults, not against an attacker who takes the process over: it may do whatever its user may.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Any

from indexes.passage import Document, Mark
from indexes.readers import limits
from indexes.readers.opening import open_file
from indexes.readers.problem import OnProblem, Problem, Reader

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

BUSY = 5.0  # times as long may pass on the clock as on the processor, until the process is ended from here
GRACE = 10.0  # seconds that it has besides, to start and to say that the time is up
POSIX = os.name == "posix"
LARGEST_REPLY = 1 << 30
_ROOT = Path(__file__).parents[2]
_FIX = "Open it in its own program and save it again, or save its text as .txt."
_idle: deque[Process] = deque()


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the process may take.

    Parameters
    ----------
    seconds
        For a file, or for a page of it.
    in_all
        For all pages of a file, in seconds.
    memory
        Bytes of address space.
    grace
        Seconds after which a process that does not keep to its time is ended.
    """

    seconds: float = limits.SECONDS
    in_all: float = limits.SECONDS_IN_ALL
    memory: int = limits.MEMORY
    grace: float = GRACE


def isolated(kind: str, allowed: Allowed = Allowed()) -> Reader:
    """The reader that ``indexes.readers.child`` knows as ``kind``, in another process."""

    def read(path: Path, on_problem: OnProblem) -> Iterator[Document]:
        open_file(path).close()  # what the system says of a file that is gone or not ours is raised here
        documents, problems = _answer(kind, path, allowed)
        for problem in problems:
            on_problem(problem)
        yield from documents

    return read if POSIX else _here(kind)


def _here(kind: str) -> Reader:
    """The reader in this process, without limits of time and memory: where there are no such processes as ours."""
    from indexes.readers.child import KINDS

    return KINDS[kind]


def _answer(kind: str, path: Path, allowed: Allowed) -> tuple[list[Document], list[Problem]]:
    answer: dict[str, Any] | Problem | None = None
    while answer is None:
        process = _taken(allowed)
        try:
            answer = process.read(kind, path)
        except BaseException:
            process.end()
            raise
    if isinstance(answer, Problem):
        return [], [answer]
    if process.waiting:
        _idle.append(process)
    return (
        [_document(values, str(path)) for values in answer["documents"]],
        [Problem(path, **values) for values in answer["problems"]],
    )


def _taken(allowed: Allowed) -> Process:
    """A process that waits for work, or a new one."""
    try:
        while True:
            process = _idle.pop()
            if process.allowed == allowed and process.waiting:
                return process
            process.end()
    except IndexError:
        return Process(allowed)


class Process:
    """One process of readers.

    Parameters
    ----------
    allowed
        What it may take.
    """

    def __init__(self, allowed: Allowed) -> None:
        from multiprocessing.connection import Connection

        self.allowed = allowed
        path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        given = (allowed.seconds, allowed.in_all, allowed.memory)
        self._process = subprocess.Popen(  # noqa: S603 - this program itself
            [sys.executable, "-P", "-m", "indexes.readers.child", *map(str, given)],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: Connection = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self._replies: Connection = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        self._process.stdin.close()
        self._process.stdout.close()

    @property
    def waiting(self) -> bool:
        """Whether it is still there."""
        return self._process.poll() is None

    def read(self, kind: str, path: Path) -> dict[str, Any] | Problem | None:
        """What it found in the file, or the problem that it came to no end; ``None`` where it had ended, idle, before."""
        request = json.dumps({"kind": kind, "path": str(path.absolute())}).encode()
        try:
            self._requests.send_bytes(request)
            answer = self._reply()
        except (EOFError, OSError):
            how = self.end()
            return Problem(path, f"made its reader break off ({how})", _FIX) if how else None
        if answer is None or answer["spent"]:
            self.end()
        return answer or Problem(path, f"takes its reader more than {self.allowed.seconds:.0f} seconds", _FIX)

    def _reply(self) -> dict[str, Any] | None:
        """The first message that is not empty; ``None`` where none at all came in time."""
        while self._replies.poll(BUSY * self.allowed.seconds + self.allowed.grace):
            if reply := self._replies.recv_bytes(LARGEST_REPLY):
                answer: dict[str, Any] = json.loads(reply)
                return answer
        return None

    def end(self) -> str:
        """End it; gives how it ended, or an empty string where it did so by itself and in order."""
        self._requests.close()
        try:
            code = self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._replies.close()
        return Signals(-code).name if code < 0 else f"exit code {code}" if code else ""


def _document(values: dict[str, Any], source: str) -> Document:
    marks = tuple(Mark(start, label) for start, label in values["marks"])
    return replace(Document(**{**values, "marks": marks}), source=source)


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.pop().end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # two processes must not talk to the same one
