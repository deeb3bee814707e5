"""What a question reports to LlamaIndex's instrumentation, beside LlamaIndex's own events of queries and retrievals."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from generators.events import Answered, Checking, Event, Found, Routed, Token, Understood

if TYPE_CHECKING:
    from llama_index_instrumentation.dispatcher import Dispatcher

NAME = "symposia"


@cache
def dispatcher() -> Dispatcher:
    """The dispatcher ``symposia``, whose events reach the root's handlers, too."""
    from llama_index_instrumentation import get_dispatcher

    return get_dispatcher(NAME)


@cache
def event_type() -> type[Any]:
    """The class of our events."""
    from llama_index_instrumentation.base import BaseEvent

    class SymposiaEvent(BaseEvent):
        """A stage of a question: ``understood`` (a follow-up), ``routed``, ``found``, ``token`` (of the draft), ``checking``, or ``answered``.

        Parameters
        ----------
        stage
            Which.
        detail
            The route, numbers and experts of the evidence, a piece of the draft, or the answer, as plain JSON types.
        """

        stage: str
        detail: dict[str, Any]

        @classmethod
        def class_name(cls) -> str:
            """See ``BaseEvent``."""
            return "SymposiaEvent"

    return SymposiaEvent


def report(event: Event, span_id: str | None = None) -> None:
    """Give an event to whoever listens; ``span_id`` is the span of the query where it is not the current one any more."""
    made = event_type()(stage=type(event).__name__.lower(), detail=_detail(event))
    if span_id is not None:
        made.span_id = span_id
    dispatcher().event(made)


def current_span() -> str | None:
    """Id of LlamaIndex's current span."""
    from llama_index_instrumentation.span import active_span_id

    return active_span_id.get()


def _detail(event: Event) -> dict[str, Any]:
    match event:
        case Routed(route):
            return route.to_dict()
        case Found(evidence):
            return {"evidence": [{"number": e.number, "expert": e.expert, "id": e.passage.id} for e in evidence]}
        case Token(text):
            return {"text": text}
        case Checking(draft):
            return {"draft": draft}
        case Answered(answer):
            return answer.to_dict()
        case Understood(question):
            return {"question": question}
