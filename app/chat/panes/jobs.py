"""What takes long and goes on while pages come and go: adding files, training. One thread a job, held by the process."""

from __future__ import annotations

import atexit
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from weakref import WeakSet

from app.access.principal import Principal
from app.chat.turn import Failed
from app.chat.worker import defect
from indexes.errors import InputError, SymposiaError

_LOG = logging.getLogger(__name__)
_RUNNING: WeakSet[Job] = WeakSet()


class Stopped(Exception):  # noqa: N818 (nothing went wrong)
    """Somebody asked a job to end; what it has finished stays."""


@dataclass(eq=False)
class Job:
    """One piece of work.

    Parameters
    ----------
    owner
        Name of the principal who began it; nobody else sees it.
    kind
        What is done: ``adding`` or ``training``.
    expert
        To whose slice.
    progress
        The latest that it reported.
    notes
        What people should know of it, as it came up.
    result
        What it gave, once it is done.
    failure
        Why it gave nothing.
    """

    owner: str
    kind: str
    expert: str
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    began: float = field(default_factory=time.monotonic)
    progress: object = None
    notes: list[object] = field(default_factory=list)
    result: object = None
    failure: Failed | None = None
    _stop: Event = field(default_factory=Event)
    _done: Event = field(default_factory=Event)

    @property
    def done(self) -> bool:
        """Whether nothing more comes."""
        return self._done.is_set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began

    def stop(self) -> None:
        """Ask it to end."""
        self._stop.set()

    def report(self, progress: object) -> None:
        """Take note of how far it has come."""
        self.progress = progress

    def checked(self, progress: object) -> None:
        """``report``, for work that cannot be asked to end otherwise: raises ``Stopped`` where it was asked to."""
        self.progress = progress
        if self.stopping:
            raise Stopped

    def wait(self, timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for its end; whether it came."""
        return self._done.wait(timeout)

    def run(self, work: Callable[[Job], object]) -> None:
        """Do the work, in whatever thread this is; whatever goes wrong is kept in ``failure``."""
        try:
            self.result = work(self)
        except Stopped:
            pass
        except SymposiaError as error:
            self.failure = Failed(error.problem, error.fix)
        except Exception as error:  # noqa: BLE001 (the edge of a thread: the page must hear of it)
            _LOG.exception("%s %s failed", self.kind, self.expert)
            self.failure = defect(error)
        finally:
            self._done.set()


class Jobs:
    """All jobs that run, and those whose outcome nobody has put away yet. Safe to use from several threads."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._lock = Lock()

    def begin(self, owner: str, kind: str, expert: str, work: Callable[[Job], object]) -> Job:
        """Start a job.

        Raises
        ------
        InputError
            Another job works on the same expert.
        """
        with self._lock:
            busy = next((job for job in self._jobs if job.expert == expert and not job.done), None)
            if busy is not None:
                raise InputError(
                    f"Expert {expert!r} is busy: {busy.kind} has been going on for {busy.seconds:.0f} s.",
                    "Wait for its end, or stop it.",
                )
            job = Job(owner, kind, expert)
            self._jobs = [j for j in self._jobs if not (j.done and j.expert == expert and j.kind == kind)] + [job]
        _RUNNING.add(job)
        Thread(target=job.run, args=(work,), name=f"symposia-{kind}", daemon=True).start()
        return job

    def of(self, principal: Principal, kind: str) -> list[Job]:
        """The jobs of one kind that a principal began, for experts that it still sees, the latest first."""
        with self._lock:
            mine = [job for job in reversed(self._jobs) if job.owner == principal.name and job.kind == kind]
        return [job for job in mine if principal.sees(job.expert)]

    def busy(self, expert: str) -> bool:
        """Whether any job works on that expert."""
        with self._lock:
            return any(job.expert == expert and not job.done for job in self._jobs)

    def put_away(self, job: Job) -> None:
        """Forget a job that is done."""
        with self._lock:
            self._jobs = [other for other in self._jobs if other is not job]


@atexit.register
def stop_all(timeout: float = 10.0) -> None:
    """End what runs: a thread inside torch when the interpreter goes down would abort the process."""
    running = [job for job in _RUNNING if not job.done]
    for job in running:
        job.stop()
    for job in running:
        job.wait(timeout)
