"""How long a parser may take. Only in the process in which parsers run is anything done about it; elsewhere nothing is.

There the time is up with an exception in whatever Python code runs. It is the processor's time, so that a busy machine reads
the same files as an idle one. Code that hangs outside Python, or waits, is ended with its process, by
``indexes.readers.isolated``.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from types import FrameType

AGAIN = 1.0  # seconds between two exceptions, where the first was swallowed


class TooSlowError(BaseException):
    """The time is up. Not an ``Exception``, since parsers swallow those."""


class Patience:
    """Time limits for the steps of one file.

    Parameters
    ----------
    seconds
        For each step.
    in_all
        For all steps together.
    beat
        Called at each step, to say that there is progress.
    """

    def __init__(self, seconds: float, in_all: float, beat: Callable[[], None]) -> None:
        self.seconds = seconds
        self.in_all = in_all
        self._beat = beat
        self._end = time.process_time() + in_all

    @property
    def lost(self) -> bool:
        """Whether the time for all steps together is up."""
        return time.process_time() > self._end

    def step(self) -> None:
        """Begin a step: it has all of its time."""
        self._beat()
        signal.signal(signal.SIGPROF, _raise)
        signal.setitimer(signal.ITIMER_PROF, self.seconds, AGAIN)

    @staticmethod
    def end() -> None:
        """No step is left: nothing is raised any more."""
        signal.setitimer(signal.ITIMER_PROF, 0)


class Endless(Patience):
    """No limit: what readers have outside of the process that is made for them."""

    def __init__(self) -> None:
        super().__init__(0, 0, lambda: None)

    @property
    def lost(self) -> bool:
        """Never."""
        return False

    def step(self) -> None:
        """Nothing."""


current: Patience = Endless()


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise TooSlowError
