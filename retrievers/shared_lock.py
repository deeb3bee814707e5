"""A lock that many may hold together, or one alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PAUSE = 0.5  # seconds between two looks at whether waiting was given up


class SharedLock:
    """Readers and a writer, where no reader waits for a writer that waits (Courtois, Heymans and Parnas 1971, problem 1).

    So one thread may share it several times over. A thread that has it alone must not ask for it again.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing = 0
        self._alone = False

    @property
    def sharing(self) -> int:
        """How many share it now."""
        return self._sharing

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold it together with others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[bool]:
        """Hold it alone, once nobody else does; gives False, and is not held, where waiting for that was given up."""
        with self._changed:
            while self._sharing or self._alone:
                if cancelled():
                    break
                self._changed.wait(PAUSE)
            held = not self._sharing and not self._alone
            self._alone = self._alone or held
        try:
            yield held
        finally:
            if held:
                with self._changed:
                    self._alone = False
                    self._changed.notify_all()
