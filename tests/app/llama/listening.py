"""What LlamaIndex's instrumentation hears."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import NullSpanHandler
from pydantic import PrivateAttr


class Listener(BaseEventHandler):
    """Keeps events and names of spans."""

    _events: list[Any] = PrivateAttr(default_factory=list)
    _spans: list[str] = PrivateAttr(default_factory=list)

    @classmethod
    def class_name(cls) -> str:
        """See ``BaseEventHandler``."""
        return "Listener"

    def handle(self, event: Any, **_: Any) -> None:
        """Keep it."""
        self._events.append(event)

    @property
    def events(self) -> list[Any]:
        """Symposia's."""
        return [event for event in self._events if event.class_name() == "SymposiaEvent"]

    @property
    def spans(self) -> list[str]:
        """``Class.method`` of each span that was entered."""
        return self._spans

    def names(self) -> list[str]:
        """Stages of ours and names of LlamaIndex's, each once in a row."""
        found: list[str] = []
        for event in self._events:
            name = event.stage if event.class_name() == "SymposiaEvent" else event.class_name()
            if found[-1:] != [name]:
                found.append(name)
        return found

    def detail(self, stage: str) -> dict[str, Any]:
        """Of the first event of that stage."""
        return next(event.detail for event in self.events if event.stage == stage)


class Spans(NullSpanHandler):
    """Keeps names of spans in a listener."""

    _listener: Listener = PrivateAttr()

    def span_enter(self, id_: str, bound_args: Any, *args: Any, **kwargs: Any) -> None:
        """Keep its name, without the id behind it."""
        self._listener.spans.append(id_.split("-", maxsplit=1)[0])


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen at the root while this is entered."""
    root = get_dispatcher()
    listener, spans = Listener(), Spans()
    spans._listener = listener
    root.add_event_handler(listener)
    root.add_span_handler(spans)
    try:
        yield listener
    finally:
        root.event_handlers.remove(listener)
        root.span_handlers.remove(spans)
