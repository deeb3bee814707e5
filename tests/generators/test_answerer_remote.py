"""Answers that a server writes: cited and checked by the same rules, with the texts compared instead of the logits."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from generators.answer import Answer, Verdict
from generators.answerer import Answerer, Options
from generators.events import Answered, Token
from generators.policies.registry import policy
from generators.remote.model import RemoteModel
from indexes.errors import ServerError
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence, Route, Share
from tests.language_server import Reaction, Served, language_server, says

QUESTION = "What is the currency of Peru?"
PERU, CHILE = "Peru's currency is the sol. It has been used since 1991.", "Chile uses the peso."
ROUTE = Route("retrieve", "domain", (Share("countries", 1.0, True),), 0.0, "a reason")


@pytest.fixture
def served() -> Iterator[Served]:
    with language_server() as server:
        server.react = answers("The currency of Peru is the sol.", "The currency of Peru is the inti.")
        yield server


def answers(with_sources: str, without: str) -> Any:
    def react(body: dict[str, Any]) -> Reaction:
        return says(with_sources if "Sources:" in body["messages"][1]["content"] else without)

    return react


def evidence() -> tuple[Evidence, ...]:
    passages = [Passage.of(Document(text, title=f"T{i}"), 0, len(text)) for i, text in enumerate((CHILE, PERU))]
    return tuple(Evidence(i, passage, "countries", 0.9) for i, passage in enumerate(passages, start=1))


def answer(served: Served, name: str = "adacad", route: Route = ROUTE) -> Answer:
    answerer = Answerer(RemoteModel(served.url, "tiny"), policy(name), Options(), lambda: ["You have 3 experts."])
    *others, last = answerer.stream(QUESTION, route, evidence() if route is ROUTE else ())
    assert isinstance(last, Answered)
    assert all(math.isnan(event.divergence) for event in others if isinstance(event, Token))
    return last.answer


def test_its_sentences_are_cited_and_checked(served: Served) -> None:
    found = answer(served)
    assert found.verdict is Verdict.ANSWERED
    assert found.marked == "The currency of Peru is the sol. [2]"
    assert (found.model, found.policy) == ("tiny", "server")


def test_what_memory_says_otherwise_is_told_though_no_divergence_is_known(served: Served) -> None:
    found = answer(served)
    assert found.memory == "The currency of Peru is the inti."
    assert math.isnan(found.signals["divergence"])
    json.dumps(found.to_dict(), allow_nan=False)


def test_memory_that_agrees_is_not_repeated(served: Served) -> None:
    served.react = answers("The currency of Peru is the sol.", "It is the sol.")
    assert answer(served).memory == ""


def test_a_policy_without_memory_asks_once(served: Served) -> None:
    assert answer(served, "greedy").memory == ""
    assert len(served.asked) == 1


def test_a_sentence_that_no_passage_supports_is_no_answer(served: Served) -> None:
    served.react = answers("Bananas fly to Jupiter.", "x")
    assert answer(served).verdict is Verdict.NOT_IN_SOURCES


def test_small_talk_is_written_by_the_server_too(served: Served) -> None:
    chat = Route("skip", "chitchat", (), 1.0, "a reason")
    found = answer(served, route=chat)
    assert (found.verdict, found.text) == (Verdict.FROM_MEMORY, "The currency of Peru is the inti.")


def test_a_server_that_is_gone_is_an_error_and_no_answer() -> None:
    answerer = Answerer(RemoteModel("http://127.0.0.1:9", "tiny"), policy("adacad"), Options(), list)
    with pytest.raises(ServerError):
        list(answerer.stream(QUESTION, ROUTE, evidence()))
