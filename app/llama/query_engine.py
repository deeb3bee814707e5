"""The whole as LlamaIndex's query engine: answers with checked citations, at once or streaming."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from contextlib import aclosing
from functools import cache
from typing import TYPE_CHECKING, Any

from app.llama.events import current_span, report
from app.llama.nodes import source_nodes, to_source_node
from generators.events import Answered, Event, Found

if TYPE_CHECKING:
    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse
    from llama_index.core.schema import NodeWithScore, QueryBundle

    from app.symposium import Symposium

_PIECE = re.compile(r"\s*\S+\s*")


def make_query_engine(
    symposium: Symposium,
    *,
    experts: Sequence[str] = (),
    forbid: Sequence[str] = (),
    retrieval: bool | None = None,
    streaming: bool = False,
) -> BaseQueryEngine:
    """A ``BaseQueryEngine`` over the whole, synchronous and asynchronous.

    A response's text is the checked answer with ``[n]`` behind what is cited; its source nodes are the evidence (see
    ``app.llama.nodes``), and its metadata hold the answer as ``Answer.to_dict`` gives it. A streaming response has its source
    nodes before the first piece of text. Its pieces are those of the checked answer, which may differ from the draft; pieces
    of the draft are reported as events while it is written. Metadata and the nodes' ``supports`` are filled in with the
    first piece.

    Parameters
    ----------
    symposium
        Whom it asks; what ``symposium.seen_by(principal)`` gives restricts it to a principal's experts.
    experts, forbid, retrieval
        As for ``Symposium.ask``.
    streaming
        Whether responses are ``StreamingResponse`` and ``AsyncStreamingResponse``.
    """
    wishes = {"experts": tuple(experts), "forbid": tuple(forbid), "retrieval": retrieval}
    made: BaseQueryEngine = _type()(symposium, wishes, streaming)
    return made


@cache
def _type() -> type[Any]:
    from llama_index.core.base.base_query_engine import BaseQueryEngine
    from llama_index.core.base.response.schema import AsyncStreamingResponse, StreamingResponse

    class PanelQueryEngine(BaseQueryEngine):
        """See ``make_query_engine``."""

        def __init__(self, symposium: Symposium, wishes: dict[str, Any], streaming: bool) -> None:
            super().__init__(callback_manager=None)
            self.symposium = symposium
            self.wishes = wishes
            self.streaming = streaming

        def _get_prompt_modules(self) -> dict[str, Any]:
            return {}

        def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            """The evidence alone."""
            from app.llama.retriever import make_retriever

            return make_retriever(self.symposium, **self.wishes).retrieve(query_bundle)

        def _query(self, query_bundle: QueryBundle) -> Response | StreamingResponse:
            reading = _Reading()
            events = self.symposium.stream(query_bundle.query_str, **self.wishes)
            if self.streaming:
                reading.until_found(events)
                return StreamingResponse(_pieces(reading, events), reading.nodes, reading.metadata)
            reading.all(events)
            return reading.response()

        async def _aquery(self, query_bundle: QueryBundle) -> Response | AsyncStreamingResponse:
            reading = _Reading()
            events = self.symposium.astream(query_bundle.query_str, **self.wishes)
            if self.streaming:
                await reading.auntil_found(events)
                return AsyncStreamingResponse(_apieces(reading, events), reading.nodes, reading.metadata)
            async with aclosing(events):
                await reading.aall(events)
            return reading.response()

    return PanelQueryEngine


class _Reading:
    """What is known of the answer so far; its events are passed on to LlamaIndex's instrumentation."""

    def __init__(self) -> None:
        self.span_id = current_span()
        self.nodes: list[NodeWithScore] = []
        self.metadata: dict[str, Any] = {}
        self.text = ""

    def take(self, event: Event) -> Event:
        """Take an event."""
        report(event, self.span_id)
        if isinstance(event, Found):
            self.nodes[:] = [to_source_node(item) for item in event.evidence]
        elif isinstance(event, Answered):
            self.nodes[:] = source_nodes(event.answer)
            self.metadata.update(event.answer.to_dict())
            self.text = event.answer.marked
        return event

    def until_found(self, events: Iterator[Event]) -> None:
        """Take events until the source nodes are known."""
        while not isinstance(self.take(next(events)), Found):
            pass

    async def auntil_found(self, events: AsyncIterator[Event]) -> None:
        """The same."""
        while not isinstance(self.take(await anext(events)), Found):
            pass

    def all(self, events: Iterator[Event]) -> None:
        """Take all that are left."""
        for event in events:
            self.take(event)

    async def aall(self, events: AsyncIterator[Event]) -> None:
        """The same."""
        async for event in events:
            self.take(event)

    def response(self) -> Response:
        """The answer in one piece."""
        from llama_index.core.base.response.schema import Response

        return Response(self.text, self.nodes, self.metadata)


def _pieces(reading: _Reading, events: Iterator[Event]) -> Generator[str, None, None]:
    """The checked answer word by word."""
    reading.all(events)
    yield from _PIECE.findall(reading.text)


async def _apieces(reading: _Reading, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    async with aclosing(events):
        await reading.aall(events)
    for piece in _PIECE.findall(reading.text):
        yield piece
