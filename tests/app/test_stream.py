"""Whoever leaves the events of a question as they stand lets others write once the answer is told, and can always be left."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import Settings
from app.symposium import Symposium
from generators.answerer import Answerer, Options
from generators.events import Answered, Event, Found, Token
from generators.policies.registry import policy
from generators.writing.follow_up import Exchange
from indexes.store.open import MEMORY, opener
from retrievers.panel import Panel
from tests.app.server.reading import ReadingModel
from tests.fakes import QUESTIONS, WordEncoder
from tests.retrievers.conftest import fill

APPLES = QUESTIONS["orchard"]


@pytest.fixture
def symposium(tmp_path: Path) -> Iterator[Symposium]:
    panel = Panel(tmp_path / "slices", WordEncoder(), opener(MEMORY))
    fill(panel, "orchard")
    answerer = Answerer(ReadingModel(), policy("greedy"), replace(Options(), conflicts=False), list)
    with Symposium(Settings(home=tmp_path), panel, lambda: answerer) as made:
        yield made


def up_to(events: Iterator[Event], kind: type[Event]) -> Event:
    return next(event for event in events if isinstance(event, kind))


def within(seconds: float, symposium: Symposium, **wishes: object) -> bool:
    """Whether a question is answered, or ends, in so many seconds; it is given up afterwards."""
    given_up = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(lambda: list(symposium.stream(APPLES, cancelled=given_up.is_set, **wishes)))  # type: ignore[arg-type]
        until = time.monotonic() + seconds
        while not asked.done() and time.monotonic() < until:
            time.sleep(0.01)
        ended = asked.done()
        given_up.set()
        asked.result(20)
    return ended


@pytest.mark.parametrize("retrieval", [None, False])
def test_a_stream_that_is_left_at_its_answer_keeps_nobody_waiting(symposium: Symposium, retrieval: bool | None) -> None:
    events = symposium.stream(APPLES, retrieval=retrieval)
    answered = up_to(events, Answered)
    assert not symposium._writing.locked()
    assert within(10, symposium)
    assert isinstance(answered, Answered) and answered.answer.text
    assert list(events) == []


def test_a_question_that_waits_for_another_ends_when_it_is_given_up(symposium: Symposium) -> None:
    with closing(symposium.stream(APPLES)) as events:
        up_to(events, Token)
        assert not within(0.5, symposium)
        heard = list(symposium.stream(APPLES, cancelled=lambda: True))
        assert isinstance(heard[-1], Found)
        before = [Exchange("Which trees blossom in April?", "Apple trees.")]
        follow_up = list(symposium.stream("And when do they bear fruit?", before=before, cancelled=lambda: True))
        assert isinstance(follow_up[-1], Found)
    assert within(10, symposium)


def test_a_stream_that_is_closed_early_keeps_nobody_waiting(symposium: Symposium) -> None:
    with closing(symposium.stream(APPLES)) as events:
        up_to(events, Token)
    assert not symposium._writing.locked()
    assert symposium.ask(APPLES).text
