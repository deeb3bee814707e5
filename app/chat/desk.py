"""The questions under way in this process, so that whoever asked finds them again after a reload."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from app.chat.turn import Recorded
from app.chat.worker import Answering, Worker

if TYPE_CHECKING:
    from app.access.principal import Principal

KEPT = 100  # questions that are remembered after their end, for a page that was away meanwhile


@dataclass(slots=True)
class Asked:
    """A question that was asked on some page.

    Parameters
    ----------
    id
        Names it in the address of a page whose conversation has no name yet.
    owner
        Who asked, with what they saw then: one who has come to see less does not find it.
    conversation
        To which it belongs; ``None`` for a first question, until its answer is recorded.
    started
        Clock reading, in seconds.
    """

    id: str
    owner: Principal
    conversation: str | None
    question: str
    started: float
    worker: Worker

    @property
    def recorded(self) -> Recorded | None:
        """What was kept of it, once it was."""
        return next((step for _, step in self.worker.steps(0) if isinstance(step, Recorded)), None)

    @property
    def place(self) -> str | None:
        """The conversation that it belongs to, as far as that is known by now."""
        recorded = self.recorded
        return recorded.turn.conversation if recorded is not None else self.conversation


@dataclass(slots=True)
class Desk:
    """Holds what is being answered; safe to share between threads. Nobody finds the questions of others."""

    _asked: OrderedDict[str, Asked] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def begin(
        self,
        principal: Principal,
        conversation: str | None,
        question: str,
        answering: Answering,
    ) -> Asked:
        """Start answering."""
        name, now = secrets.token_hex(8), time.monotonic()
        with self._lock:  # before the first step can be seen, the question can be found
            asked = Asked(name, principal, conversation, question, now, Worker(answering))
            self._asked[name] = asked
            over = [each.id for each in self._asked.values() if each.worker.ended][:-KEPT]
            for old in over:
                del self._asked[old]
        return asked

    def find(self, principal: Principal, name: str) -> Asked | None:
        """The question of that name, if this principal asked it and it is not long over."""
        with self._lock:
            asked = self._asked.get(name)
        return asked if asked is not None and asked.owner == principal else None

    def running(self, principal: Principal) -> list[Asked]:
        """What this principal asked and is not answered yet, the latest first."""
        with self._lock:
            return [a for a in reversed(self._asked.values()) if a.owner == principal and not a.worker.ended]
