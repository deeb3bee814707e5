"""Whoever stops listening to an answer stops its being written, at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import Settings
from app.symposium import Symposium
from generators.answerer import Answerer, Options
from generators.events import Answered, Token
from generators.policies.registry import policy
from indexes.store.open import MEMORY, opener
from retrievers.panel import Panel
from tests.app.server.reading import ReadingModel
from tests.fakes import QUESTIONS, TOPICS, WordEncoder
from tests.retrievers.conftest import fill

APPLES = QUESTIONS["orchard"]
DELAY = 0.02  # seconds a token


@pytest.fixture
def model() -> ReadingModel:
    return ReadingModel(DELAY)


@pytest.fixture
def symposium(tmp_path: Path, model: ReadingModel) -> Iterator[Symposium]:
    panel = Panel(tmp_path / "slices", WordEncoder(), opener(MEMORY))
    for name in TOPICS:
        fill(panel, name)
    answerer = Answerer(model, policy("greedy"), replace(Options(), conflicts=False), list)
    with Symposium(Settings(home=tmp_path), panel, lambda: answerer) as made:
        made.retrieve(APPLES)
        yield made


def stopped(symposium: Symposium, model: ReadingModel) -> None:
    """Nothing is written any more, and the pen is free."""
    written = model.tokens
    assert 0 < written < len(TOPICS["orchard"][0])
    assert not symposium._writing.locked()
    time.sleep(5 * DELAY)
    assert model.tokens == written
    model.delay = 0.0
    assert symposium.ask(APPLES).text


async def until_the_third_token(symposium: Symposium) -> None:
    heard = 0
    async with aclosing(symposium.astream(APPLES)) as events:
        async for event in events:
            heard += isinstance(event, Token)
            if heard == 3:
                return


def test_leaving_the_loop_stops_the_generation(symposium: Symposium, model: ReadingModel) -> None:
    asyncio.run(until_the_third_token(symposium))
    assert model.tokens <= 3
    stopped(symposium, model)


def test_being_cancelled_while_a_token_is_made_stops_the_generation(symposium: Symposium, model: ReadingModel) -> None:
    async def run() -> None:
        task = asyncio.create_task(everything(symposium))
        while model.tokens < 3:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert model.tokens <= 4
        assert not symposium._writing.locked()

    asyncio.run(run())
    stopped(symposium, model)


async def everything(symposium: Symposium) -> list[object]:
    async with aclosing(symposium.astream(APPLES)) as events:
        return [event async for event in events]


def test_who_listens_to_the_end_hears_everything_while_others_work(symposium: Symposium, model: ReadingModel) -> None:
    async def run() -> tuple[list[object], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(DELAY / 4)

        ticking = asyncio.create_task(tick())
        heard = await everything(symposium)
        ticking.cancel()
        return heard, ticks

    heard, ticks = asyncio.run(run())
    answer = heard[-1]
    assert isinstance(answer, Answered)
    assert "".join(event.text for event in heard if isinstance(event, Token)) == answer.answer.text
    assert ticks > model.tokens
