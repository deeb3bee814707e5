from __future__ import annotations

import asyncio

import pytest
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import QueryBundle

from app.access.principal import Principal
from app.llama.nodes import from_source_node
from app.llama.retriever import make_retriever
from app.symposium import Symposium
from tests.app.llama.listening import Listener, listening
from tests.fakes import QUESTIONS, TOPICS

APPLES = QUESTIONS["orchard"]


def test_the_panel_is_a_retriever_whose_scores_are_probabilities(symposium: Symposium) -> None:
    symposium._make_answerer = lambda: pytest.fail("a language model was wanted")
    retriever = make_retriever(symposium, passages=3)
    assert isinstance(retriever, BaseRetriever)
    nodes = retriever.retrieve(APPLES)
    _, evidence = symposium.retrieve(APPLES, retrieval=True, passages=3)
    assert tuple(from_source_node(node) for node in nodes) == evidence
    assert nodes[0].text == TOPICS["orchard"][0]
    assert [node.score for node in nodes] == [item.probability for item in evidence]


def test_asynchronously_it_finds_the_same(symposium: Symposium) -> None:
    retriever = make_retriever(symposium)
    found = asyncio.run(retriever.aretrieve(QueryBundle(APPLES)))
    assert [node.node_id for node in found] == [node.node_id for node in retriever.retrieve(APPLES)]


def test_wishes_and_principals_are_respected(symposium: Symposium) -> None:
    assert {n.metadata["expert"] for n in make_retriever(symposium, experts=["planets"]).retrieve(APPLES)} == {
        "planets"
    }
    seen = symposium.seen_by(Principal("p", frozenset({"engines"})))
    assert {n.metadata["expert"] for n in make_retriever(seen).retrieve(APPLES)} == {"engines"}


def test_small_talk_finds_passages_unless_the_gate_may_decide(symposium: Symposium) -> None:
    assert make_retriever(symposium).retrieve("12 + 30")
    assert make_retriever(symposium, retrieval=None).retrieve("12 + 30") == []


def test_instrumentation_hears_of_the_retrieval_and_its_route(symposium: Symposium) -> None:
    with listening() as heard:
        make_retriever(symposium).retrieve(APPLES)
    assert heard.names() == ["RetrievalStartEvent", "routed", "found", "RetrievalEndEvent"]
    assert heard.detail("routed")["experts"] == ["orchard"]
    assert heard.spans == ["PanelRetriever.retrieve", "PanelRetriever._retrieve"]
    assert isinstance(heard, Listener)
