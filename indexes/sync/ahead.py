"""A stage of a pipeline: items are made in a thread of their own, so many ahead of whoever takes them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

WAIT = 0.05  # seconds after which a thread that waits looks whether it should end


class Ended(Exception):  # noqa: N818 (no error: it is how a thread learns that nobody waits for it any more)
    """Raised in a stage whose pipeline has been ended."""


class Ahead(Generic[T]):
    """Iterates over ``items``, which are drawn in another thread.

    An exception of ``items`` is raised where they are taken, after the items before it. ``close`` ends the thread: it
    returns once what draws an item has come to its end. Stages behind one another share one ``ended``.

    Parameters
    ----------
    most
        How much may be drawn and not taken, at most; one item of any weight always may.
    weight
        Of an item.
    ended
        Set when the pipeline has to end.
    """

    def __init__(
        self, items: Iterable[T], most: int, ended: threading.Event, weight: Callable[[T], int] = lambda _: 1
    ) -> None:
        self._items = items
        self._most = most
        self._ended = ended
        self._weight = weight
        self._drawn = deque[T]()
        self._heavy = 0
        self._error: BaseException | None = None
        self._exhausted = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._draw, name="symposia-ahead", daemon=True)

    def __iter__(self) -> Iterator[T]:
        while True:
            item = self.take()
            if item is None:
                return
            yield item

    def take(self, waiting: Callable[[], None] = lambda: None) -> T | None:
        """The next item, ``None`` after the last; ``waiting`` is called now and then until there is one."""
        self._begin()
        while True:
            with self._changed:
                if self._drawn:
                    item = self._drawn.popleft()
                    self._heavy -= self._weight(item)
                    self._changed.notify_all()
                    return item
                if self._error is not None:
                    raise self._error
                if self._exhausted:
                    return None
                if self._ended.is_set():
                    raise Ended
                self._changed.wait(WAIT)
            waiting()

    def close(self) -> None:
        """End the thread, and wait until it has ended."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _begin(self) -> None:
        if self._thread.ident is None:
            self._thread.start()

    def _draw(self) -> None:
        try:
            for item in self._items:
                self._put(item)
        except BaseException as error:  # noqa: BLE001 (raised where items are taken)
            self._error = error
        finally:
            with self._changed:
                self._exhausted = True
                self._changed.notify_all()

    def _put(self, item: T) -> None:
        weight = self._weight(item)
        with self._changed:
            while self._drawn and self._heavy + weight > self._most:
                if self._ended.is_set():
                    raise Ended
                self._changed.wait(WAIT)
            if self._ended.is_set():
                raise Ended
            self._drawn.append(item)
            self._heavy += weight
            self._changed.notify_all()
