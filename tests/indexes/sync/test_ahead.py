from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from indexes.sync.ahead import Ahead, Ended


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "symposia-ahead"]


def counting(drawn: list[int], most: int = 10**9) -> Iterator[int]:
    for n in range(most):
        drawn.append(n)
        yield n


def settled(drawn: list[int]) -> int:
    """How many were drawn once no more are."""
    before = -1
    while before != len(drawn):
        before = len(drawn)
        time.sleep(0.1)
    return before


def test_items_come_in_order_and_the_thread_ends() -> None:
    stage = Ahead(range(1000), 3, threading.Event())
    assert list(stage) == list(range(1000))
    stage.close()
    assert not threads()


def test_no_more_is_drawn_ahead_than_was_said() -> None:
    drawn: list[int] = []
    stage = Ahead(counting(drawn), 5, threading.Event())
    assert stage.take() == 0
    assert settled(drawn) == 7  # one was taken, five wait, and one waits for room
    stage.close()
    assert not threads()


def test_what_is_heavier_than_all_that_may_wait_waits_alone() -> None:
    drawn: list[int] = []
    stage = Ahead(counting(drawn, 20), 5, threading.Event(), weight=lambda _: 100)
    assert stage.take() == 0
    assert settled(drawn) == 3
    assert list(stage) == list(range(1, 20))


def test_an_error_is_raised_where_items_are_taken_after_those_before_it() -> None:
    def failing() -> Iterator[int]:
        yield from (1, 2)
        raise KeyboardInterrupt

    stage, taken = Ahead(failing(), 5, threading.Event()), []
    with pytest.raises(KeyboardInterrupt):
        taken.extend(stage)
    assert taken == [1, 2]
    stage.close()
    assert not threads()


def test_stages_behind_one_another_end_together() -> None:
    ended, drawn = threading.Event(), list[int]()
    first = Ahead(counting(drawn), 5, ended)
    second = Ahead((2 * item for item in first), 5, ended)
    assert [second.take(), second.take()] == [0, 2]
    second.close()
    first.close()
    assert not threads()
    with pytest.raises(Ended):
        while True:
            second_item = first.take()
            assert second_item is not None


def test_whoever_waits_is_asked_now_and_then() -> None:
    def slow() -> Iterator[int]:
        time.sleep(0.5)
        yield 1

    def enough() -> None:
        raise TimeoutError

    stage = Ahead(slow(), 5, threading.Event())
    started = time.perf_counter()
    with pytest.raises(TimeoutError):
        stage.take(enough)
    assert time.perf_counter() - started < 0.4
    stage.close()
    assert not threads()
