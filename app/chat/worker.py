"""Answers one question in a thread of its own: steps go through a queue, and only the page's script takes them out.

A rerun of the page (any click) leaves the thread alone; the next run goes on taking steps where the last one stopped.
"""

from __future__ import annotations

import atexit
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Event as Signal
from threading import Thread
from weakref import WeakSet

from app.chat.turn import Ended, Failed, Step
from indexes.errors import SymposiaError

ABANDONED_AFTER = 60.0  # seconds without a reader (a closed browser tab) after which generation stops by itself
_LOG = logging.getLogger(__name__)

_RUNNING: WeakSet[Worker] = WeakSet()

Answering = Callable[[Callable[[], bool]], Iterable[Step]]


class Worker:
    """Runs ``answering(cancelled)`` in a daemon thread.

    Parameters
    ----------
    answering
        Yields the steps of one question; asks ``cancelled`` now and then whether to stop.
    """

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._steps: SimpleQueue[tuple[float, Step]] = SimpleQueue()
        self._stop = Signal()
        self._last_read = time.monotonic()
        self._thread = Thread(target=self._run, name="symposia-answer", daemon=True)
        _RUNNING.add(self)
        self._thread.start()

    def stop(self) -> None:
        """Ask the generation to end; what was written so far stays."""
        self._stop.set()

    def join(self, timeout: float) -> None:
        """Wait up to ``timeout`` seconds for the thread to end."""
        self._thread.join(timeout)

    def cancelled(self) -> bool:
        """True once ``stop`` was called, or once nobody has read for a minute."""
        return self._stop.is_set() or time.monotonic() - self._last_read > ABANDONED_AFTER

    def take(self, wait: float) -> Iterator[tuple[float, Step]]:
        """All steps that are there, with their clock readings; waits up to ``wait`` seconds for the first."""
        self._last_read = time.monotonic()
        try:
            yield self._steps.get(timeout=wait)
            while True:
                yield self._steps.get_nowait()
        except Empty:
            return

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
        self._steps.put((time.monotonic(), step))


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
        f"This is a defect in Symposia: {type(error).__name__}: {error}",
        "The full traceback is in the log of the server. Please report it with the question.",
    )
