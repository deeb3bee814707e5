"""From a question on the page to a worker that answers it and records the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.access.audited import audited
from app.access.open import audit_of, check_still
from app.access.principal import Action
from app.chat.turn import Choice, Failed, Loaded, Recorded, Step, Unrecorded
from app.chat.worker import Answering
from app.conversations.past import exchanges_of
from app.telemetry.trace import fresh, using
from generators.events import Answered, Event, Routed
from indexes.errors import SymposiaError

if TYPE_CHECKING:
    from app.access.principal import Principal
    from app.chat.opening import Opened
    from app.chat.turn import Turn
    from app.conversations.store import Conversations
    from app.symposium import Symposium
    from generators.answer import Answer
    from generators.writing.follow_up import Exchange


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
    user
        What the login says of them.
    """

    opened: Opened
    principal: Principal
    symposium: Symposium
    user: Mapping[str, Any] = field(default_factory=dict)

    @property
    def conversations(self) -> Conversations:
        """Where conversations are kept."""
        return self.opened.conversations

    def check_still(self) -> None:
        """Raise an ``InputError`` where they are not any more who they were when the page was drawn: asked at each click."""
        check_still(self.symposium.settings, self.principal, self.user)


def exchanges(turns: Sequence[Turn]) -> tuple[Exchange, ...]:
    """What a follow-up is understood in the light of: the questions that were answered, as they were understood."""
    return exchanges_of(turn.answer for turn in turns if turn.answer is not None)


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
                    yield _record(visit, conversation, question, event.answer, choice.forbid)

    return run


def _audited(visit: Visit, question: str, events: Iterator[Event]) -> Iterator[Event]:
    """The events, and at their end a line in the audit log, where the settings ask for one."""
    trace, audit = fresh(), audit_of(visit.symposium.settings)
    with using(trace), audited(audit, visit.principal, Action.ASK, question=question) as entry:
        entry.outcome = "cancelled"
        for event in events:
            if isinstance(event, Routed):
                entry.experts = event.route.experts
            elif isinstance(event, Answered):
                entry.outcome = event.answer.verdict.value
            yield event


def _record(
    visit: Visit, conversation: str | None, question: str, answer: Answer, forbidden: Sequence[str]
) -> Recorded | Unrecorded:
    try:
        return Recorded(visit.conversations.record(visit.principal, conversation, question, answer, forbidden))
    except SymposiaError as error:  # such as a conversation that was deleted meanwhile
        return Unrecorded(Failed(error.problem, error.fix))
