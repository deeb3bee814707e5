"""From a question on the page to a worker that answers it and records the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.access.open import audit_of
from app.access.principal import Action
from app.chat.turn import Choice, Failed, Loaded, Recorded, Step, Unrecorded
from app.chat.worker import Answering
from app.telemetry.trace import new_trace, using
from generators.events import Answered, Event, Routed
from generators.writing.follow_up import Exchange
from indexes.errors import SymposiaError

if TYPE_CHECKING:
    from app.access.principal import Principal
    from app.chat.opening import Opened
    from app.chat.turn import Turn
    from app.conversations.store import Conversations
    from app.symposium import Symposium
    from generators.answer import Answer


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at the page, and what is there for them.

    Parameters
    ----------
    opened
        What all visitors share.
    principal
        Who it is.
    symposium
        What exists for them.
    """

    opened: Opened
    principal: Principal
    symposium: Symposium

    @property
    def conversations(self) -> Conversations:
        """Where conversations are kept."""
        return self.opened.conversations


def exchanges(turns: Sequence[Turn]) -> tuple[Exchange, ...]:
    """What a follow-up is understood in the light of: the questions that were answered, as they were understood."""
    return tuple(Exchange(turn.answer.question, turn.answer.text) for turn in turns if turn.answer is not None)


def answering(
    visit: Visit, conversation: str | None, question: str, choice: Choice, before: Sequence[Exchange] = ()
) -> Answering:
    """What a worker runs for one question: wait for the models, then ``Symposium.stream``, then record the answer."""

    def run(cancelled: Callable[[], bool]) -> Iterator[Step]:
        failed = visit.opened.wait(cancelled)
        if failed is not None:
            yield failed
        elif not cancelled():
            yield Loaded()
            events = visit.symposium.stream(
                question,
                experts=choice.experts,
                forbid=choice.forbid,
                retrieval=choice.retrieval,
                cancelled=cancelled,
                before=before,
            )
            for event in _audited(visit, question, events):
                yield event
                if isinstance(event, Answered):
                    yield _record(visit, conversation, question, event.answer)

    return run


def _audited(visit: Visit, question: str, events: Iterator[Event]) -> Iterator[Event]:
    """The events, and at their end a line in the audit log, where the settings ask for one."""
    audit, trace, started = audit_of(visit.symposium.settings), new_trace(), time.monotonic()
    experts: tuple[str, ...] = ()
    outcome = "cancelled"
    try:
        with using(trace):
            for event in events:
                if isinstance(event, Routed):
                    experts = event.route.experts
                elif isinstance(event, Answered):
                    outcome = event.answer.verdict.value
                yield event
    except Exception as error:
        outcome = type(error).__name__
        raise
    finally:
        if audit is not None:
            seconds = time.monotonic() - started
            audit.record(visit.principal, Action.ASK, experts, outcome, trace, seconds, question)


def _record(visit: Visit, conversation: str | None, question: str, answer: Answer) -> Recorded | Unrecorded:
    try:
        return Recorded(visit.conversations.record(visit.principal, conversation, question, answer))
    except SymposiaError as error:  # such as a conversation that was deleted meanwhile
        return Unrecorded(Failed(error.problem, error.fix))
