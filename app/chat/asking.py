"""From a question on the page to a worker that answers it and records the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.chat.turn import Choice, Failed, Loaded, Recorded, Step, Unrecorded
from app.chat.worker import Answering
from generators.events import Answered
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
            for event in visit.symposium.stream(
                question,
                experts=choice.experts,
                forbid=choice.forbid,
                retrieval=choice.retrieval,
                cancelled=cancelled,
                before=before,
            ):
                yield event
                if isinstance(event, Answered):
                    yield _record(visit, conversation, question, event.answer)

    return run


def _record(visit: Visit, conversation: str | None, question: str, answer: Answer) -> Recorded | Unrecorded:
    try:
        return Recorded(visit.conversations.record(visit.principal, conversation, question, answer))
    except SymposiaError as error:  # such as a conversation that was deleted meanwhile
        return Unrecorded(Failed(error.problem, error.fix))
