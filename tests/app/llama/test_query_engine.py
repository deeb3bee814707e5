from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.schema import QueryBundle

from app.llama.query_engine import make_query_engine
from app.symposium import Symposium
from generators.answer import Answer
from indexes.errors import InputError
from tests.app.llama.listening import listening
from tests.app.mcp.building import SCRIPT
from tests.fakes import QUESTIONS

APPLES = QUESTIONS["orchard"]


def facts(answer: Answer) -> dict[str, Any]:
    """The answer without times."""
    return {**answer.to_dict(), "seconds": {}}


def test_the_whole_is_a_query_engine_whose_response_is_the_checked_answer(symposium: Symposium) -> None:
    engine = make_query_engine(symposium)
    assert isinstance(engine, BaseQueryEngine)
    response = engine.query(APPLES)
    answer = symposium.ask(APPLES)
    assert isinstance(response, Response)
    assert str(response) == answer.marked
    assert str(response).startswith(f"{SCRIPT} [")
    assert {**response.metadata, "seconds": {}} == facts(answer)
    assert [node.node_id for node in response.source_nodes] == [item.passage.id for item in answer.evidence]
    spans = [span["text"] for node in response.source_nodes for span in json.loads(node.metadata["supports"])]
    cited = [c for claim in answer.claims for c in claim.citations]
    assert spans == [answer.evidence[c.number - 1].passage.text[c.start : c.end] for c in cited]
    assert spans


def test_asynchronously_it_answers_the_same(symposium: Symposium) -> None:
    engine = make_query_engine(symposium)
    response = asyncio.run(engine.aquery(QueryBundle(APPLES)))
    assert str(response) == str(engine.query(APPLES))


def test_a_stream_has_its_sources_first_and_gives_the_checked_text(symposium: Symposium) -> None:
    response = make_query_engine(symposium, streaming=True).query(APPLES)
    assert isinstance(response, StreamingResponse)
    assert response.source_nodes[0].metadata["expert"] == "orchard"
    assert response.metadata == {}
    pieces = list(response.response_gen)
    assert pieces == re.findall(r"\S+\s*", symposium.ask(APPLES).marked)
    assert response.metadata["verdict"] == "answered"
    assert any(json.loads(node.metadata["supports"]) for node in response.source_nodes)


def test_an_asynchronous_stream_does_the_same(symposium: Symposium) -> None:
    async def run() -> tuple[list[str], list[str], dict[str, Any]]:
        response = await make_query_engine(symposium, streaming=True).aquery(APPLES)
        assert isinstance(response, AsyncStreamingResponse)
        experts = [node.metadata["expert"] for node in response.source_nodes]
        return experts, [piece async for piece in response.async_response_gen()], response.metadata

    experts, pieces, metadata = asyncio.run(run())
    assert experts[0] == "orchard"
    assert "".join(pieces) == symposium.ask(APPLES).marked
    assert metadata["verdict"] == "answered"


def test_a_stream_that_is_left_frees_the_pen(symposium: Symposium) -> None:
    response = make_query_engine(symposium, streaming=True).query(APPLES)
    next(response.response_gen)
    response.response_gen.close()
    del response
    assert symposium._writing.acquire(timeout=5)
    symposium._writing.release()


def test_an_abstention_is_not_the_draft(symposium: Symposium) -> None:
    response = make_query_engine(symposium, experts=["planets"], streaming=True).query("Who won the marathon in Tokyo?")
    assert SCRIPT not in str(response)
    assert response.metadata is not None
    assert response.metadata["verdict"] == "not in the sources"


def test_an_error_is_raised_as_everywhere(symposium: Symposium) -> None:
    with pytest.raises(InputError, match="birds"):
        make_query_engine(symposium, experts=["birds"]).query(APPLES)


def test_it_retrieves_as_well(symposium: Symposium) -> None:
    nodes = make_query_engine(symposium, forbid=["orchard"]).retrieve(QueryBundle(APPLES))
    assert "orchard" not in {node.metadata["expert"] for node in nodes}


@pytest.mark.parametrize("streaming", [False, True])
def test_instrumentation_hears_every_stage_within_the_query(symposium: Symposium, streaming: bool) -> None:
    with listening() as heard:
        response = make_query_engine(symposium, streaming=streaming).query(APPLES)
        assert str(response)
    stages = [name for name in heard.names() if not name.startswith("Query")]
    assert stages == ["routed", "found", "token", "checking", "answered"]
    assert heard.names()[0] == "QueryStartEvent"
    assert "QueryEndEvent" in heard.names()
    assert "".join(e.detail["text"] for e in heard.events if e.stage == "token") == SCRIPT
    assert len({event.span_id for event in heard.events}) == 1
    assert heard.events[0].span_id
    assert heard.detail("answered")["verdict"] == "answered"
