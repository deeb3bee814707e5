from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.turns import QueueFullError, Turns


def run(what: Coroutine[Any, Any, None]) -> None:
    asyncio.run(what)


def test_one_writes_at_a_time_in_the_order_of_arrival() -> None:
    order: list[int] = []

    async def one(turns: Turns, number: int) -> None:
        with turns.admit() as turn:
            await turn.take()
            await turn.take()  # it is held already
            order.append(number)
            assert turns.lock.locked()
            await asyncio.sleep(0)
            assert order[-1] == number

    async def all_of_them() -> None:
        turns = Turns(9)
        await asyncio.gather(*(one(turns, number) for number in range(10)))
        assert (turns.admitted, turns.queued, turns.lock.locked()) == (0, 0, False)

    run(all_of_them())
    assert order == list(range(10))


def test_who_comes_when_the_queue_is_full_is_refused_and_later_let_in() -> None:
    async def fill() -> None:
        turns = Turns(1)
        with turns.admit() as first, turns.admit() as second:
            await first.take()
            assert (first.held, second.held, second.ahead) == (True, False, 1)
            with pytest.raises(QueueFullError, match="2 questions are being answered"), turns.admit():
                pass
        with turns.admit() as third:
            assert third.ahead == 0

    run(fill())


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_whoever_gives_up_nobody_is_left_waiting(gives_up: list[bool]) -> None:
    served: list[int] = []

    async def one(turns: Turns, number: int) -> None:
        with turns.admit() as turn:
            await turn.take()
            await asyncio.sleep(0)
            served.append(number)

    async def all_of_them() -> None:
        turns = Turns(len(gives_up))
        tasks = [asyncio.create_task(one(turns, number)) for number in range(len(gives_up))]
        await asyncio.sleep(0)
        for task, gone in zip(tasks, gives_up, strict=True):
            if gone:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (turns.admitted, turns.queued, turns.lock.locked()) == (0, 0, False)

    run(all_of_them())
    assert served == [number for number, gone in enumerate(gives_up) if not gone]
