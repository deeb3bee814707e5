from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from app.symposium import Symposium
from generators.answerer import Answerer, Options
from generators.events import Answered, Routed, Understood
from generators.policies.registry import policy
from generators.writing.follow_up import Exchange
from indexes.errors import MissingModelError
from indexes.store.open import MEMORY, opener
from retrievers.panel import Panel
from tests.fakes import TOPICS, WordEncoder
from tests.generators.scripted import ScriptedModel
from tests.retrievers.conftest import fill

BEFORE = (Exchange("When do apple trees blossom?", "Apple trees blossom in April."),)
ASKED = "And when do they carry fruit?"
FULL = "When do apple trees carry fruit?"


class Speaker(ScriptedModel):
    """Completes questions and answers them, each from its own script."""

    def __init__(self, full: str) -> None:
        super().__init__("Apple trees carry fruit from August.")
        self.full = full
        self.answer = self.script

    def chat_tokens(self, messages: list[dict[str, str]]) -> list[int]:  # type: ignore[override]
        completes = messages[-1]["content"].endswith("Rewrite the last question.")
        self.script = self.full if completes else self.answer
        self.memory = self.script
        return super().chat_tokens(messages)


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Panel]:
    made = Panel(tmp_path, WordEncoder(), opener(MEMORY))
    for name in TOPICS:
        fill(made, name)
    yield made
    made.close()


def symposium(panel: Panel, full: str = FULL) -> Symposium:
    answerer = Answerer(Speaker(full), policy("greedy"), Options(), list)
    return Symposium(Settings(), panel, lambda: answerer)


def test_a_follow_up_is_searched_and_answered_as_what_it_stands_for(panel: Panel) -> None:
    made = symposium(panel)
    events = list(made.stream(ASKED, before=BEFORE, retrieval=True))
    assert events[0] == Understood(FULL)
    assert isinstance(events[1], Routed)
    assert isinstance(events[-1], Answered)
    answer = events[-1].answer
    assert answer.question == FULL
    assert "August" in answer.text
    assert list(answer.seconds)[:2] == ["understand", "retrieve"]
    assert made.ask(FULL, retrieval=True).evidence == answer.evidence


def test_a_question_that_stands_for_itself_is_not_reported_as_understood(panel: Panel) -> None:
    events = list(symposium(panel).stream("What are the rings of Saturn made of?", before=BEFORE, retrieval=True))
    assert not [event for event in events if isinstance(event, Understood)]
    assert isinstance(events[-1], Answered)
    assert events[-1].answer.question == "What are the rings of Saturn made of?"


def test_without_a_conversation_everything_is_as_before(panel: Panel) -> None:
    answer = symposium(panel).ask(ASKED, retrieval=True)
    assert answer.question == ASKED
    assert "understand" not in answer.seconds


def test_all_ways_to_ask_understand_the_same(panel: Panel) -> None:
    made = symposium(panel)
    expected = made.retrieve(FULL, retrieval=True)
    assert made.retrieve(ASKED, before=BEFORE, retrieval=True) == expected
    assert asyncio.run(made.aretrieve(ASKED, before=BEFORE, retrieval=True)) == expected
    assert made.ask(ASKED, before=BEFORE, retrieval=True).question == FULL
    assert asyncio.run(made.aask(ASKED, before=BEFORE, retrieval=True)).question == FULL

    async def streamed() -> list[object]:
        return [event async for event in made.astream(ASKED, before=BEFORE, retrieval=True)]

    assert asyncio.run(streamed())[0] == Understood(FULL)


def test_retrieving_needs_no_language_model(panel: Panel) -> None:
    def missing() -> Answerer:
        raise MissingModelError("The language model is not there.", "Fetch it.")

    made = Symposium(Settings(), panel, missing)
    assert made.retrieve(ASKED, before=BEFORE, retrieval=True) == made.retrieve(
        "And when do they carry fruit? (apple trees blossom)", retrieval=True
    )


def test_words_that_a_rewriting_brings_from_nowhere_are_not_searched_for(panel: Panel) -> None:
    made = symposium(panel, full="What are the rings of Saturn made of, and when do they carry fruit?")
    answer = made.ask(ASKED, before=BEFORE, retrieval=True)
    assert answer.question == "And when do they carry fruit? (apple trees blossom)"
