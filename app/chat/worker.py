"""Answers one question in a thread of its own and keeps every step, so that any page may follow from any step on.

A rerun of the page (any click) leaves the thread alone, and so do a reload and a closed tab: the answer is written to its
end and recorded. Only ``stop`` ends it early.
"""

from __future__ import annotations

import atexit
import logging
import time
from collections.abc import Callable, Iterable
from threading import Condition, Thread
from threading import Event as Signal
from weakref import WeakSet

from app.chat.turn import Ended, Failed, Step
from indexes.errors import SymposiaError

_LOG = logging.getLogger(__name__)

_RUNNING: WeakSet[Worker] = WeakSet()

Answering = Callable[[Callable[[], bool]], Iterable[Step]]
Timed = tuple[float, Step]


class Worker:
    """Runs ``answering(cancelled)`` in a daemon thread.

    Parameters
    ----------
    answering
        Yields the steps of one question; asks ``cancelled`` now and then whether to stop.
    """

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._steps: list[Timed] = []
        self._changed = Condition()
        self._stop = Signal()
        self._thread = Thread(target=self._run, name="symposia-answer", daemon=True)
        _RUNNING.add(self)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """True when nothing more comes."""
        with self._changed:
            return bool(self._steps) and isinstance(self._steps[-1][1], Ended)

    def stop(self) -> None:
        """Ask the generation to end; what was written so far stays."""
        self._stop.set()

    def join(self, timeout: float) -> None:
        """Wait up to ``timeout`` seconds for the thread to end."""
        self._thread.join(timeout)

    def cancelled(self) -> bool:
        """True once ``stop`` was called."""
        return self._stop.is_set()

    def steps(self, after: int, wait: float = 0.0) -> list[Timed]:
        """All steps but the first ``after``, with their clock readings; waits up to ``wait`` seconds for one."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._steps) > after, timeout=wait)
            return self._steps[after:]

    def _run(self) -> None:
        try:
            for step in self._answering(self.cancelled):
                self._put(step)
        except SymposiaError as error:
            self._put(Failed(error.problem, error.fix))
        except Exception as error:  # noqa: BLE001 (the edge of the process: the page must not wait for ever)
            _LOG.exception("a question could not be answered")
            self._put(defect(error))
        finally:
            self._put(Ended())

    def _put(self, step: Step) -> None:
        with self._changed:
            self._steps.append((time.monotonic(), step))
            self._changed.notify_all()


@atexit.register
def stop_all(timeout: float = 10.0) -> None:
    """End what is being written: a thread inside torch when the interpreter goes down would abort the process."""
    running = list(_RUNNING)
    for worker in running:
        worker.stop()
    for worker in running:
        worker.join(timeout)


def defect(error: Exception) -> Failed:
    """What to show for an error that is none of ours."""
    return Failed(
        f"This is a defect in Symposia: {type(error).__name__}.",
        "The full traceback is in the log of the server. Please report it with the question.",
    )
