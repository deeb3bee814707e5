"""The queue in front of the language model: one question is written at a time, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from indexes.errors import SymposiaError

RETRY = 5.0  # seconds


class QueueFullError(SymposiaError):
    """As many questions wait as may; ``retry`` seconds later there may be room."""

    retry = RETRY


@dataclass
class Turns:
    """Who writes, and who waits. Used from one event loop only.

    Parameters
    ----------
    waiting
        How many may wait while one writes; who comes after them is refused.
    admitted
        How many were let in and have not ended.
    queued
        How many of these wait for the language model at this moment.
    lock
        Held by the one that writes; it serves in the order of arrival.
    """

    waiting: int
    admitted: int = 0
    queued: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @contextmanager
    def admit(self) -> Iterator[Turn]:
        """A place, given back at the end with the turn; a ``QueueFullError`` where there is none."""
        if self.admitted > self.waiting:
            raise QueueFullError(
                f"{self.admitted} questions are being answered or wait for it; no more than {self.waiting} may wait.",
                "Try again in a moment.",
            )
        self.admitted += 1
        turn = Turn(self)
        try:
            yield turn
        finally:
            self.admitted -= 1
            turn.give_back()


class Turn:
    """One question's place; see ``Turns.admit``."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.held = False

    @property
    def ahead(self) -> int:
        """How many come before this one if it joins the line now: the one that is being written, and all in line."""
        return self._turns.queued + int(self._turns.lock.locked())

    async def take(self) -> None:
        """Wait until it is this question's turn; nothing happens where it is already."""
        if self.held:
            return
        self._turns.queued += 1
        try:
            await self._turns.lock.acquire()
        finally:
            self._turns.queued -= 1
        self.held = True

    def give_back(self) -> None:
        """Let the next one write."""
        if self.held:
            self.held = False
            self._turns.lock.release()
