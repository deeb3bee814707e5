from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import pytest

from app.chat import worker as module
from app.chat.turn import Ended, Failed, Loaded, Step
from app.chat.worker import Answering, Worker
from generators.events import Token
from indexes.errors import StoreError


def all_steps(worker: Worker) -> list[Step]:
    steps: list[Step] = []
    deadline = time.monotonic() + 10
    while not steps or not isinstance(steps[-1], Ended):
        assert time.monotonic() < deadline, steps
        steps += [step for _, step in worker.steps(len(steps), 0.1)]
    return steps


def scripted(*steps: Step, error: Exception | None = None) -> Answering:
    def run(_: Callable[[], bool]) -> Iterator[Step]:
        yield from steps
        if error is not None:
            raise error

    return run


def test_steps_come_out_in_order_and_end() -> None:
    assert all_steps(Worker(scripted(Loaded(), Token("a", 0.0)))) == [Loaded(), Token("a", 0.0), Ended()]


def test_steps_carry_the_moment_at_which_they_happened_not_at_which_they_were_taken() -> None:
    before = time.monotonic()
    worker = Worker(scripted(Loaded()))
    time.sleep(0.2)
    moments = [at for at, _ in worker.steps(0)]
    assert len(moments) == 2 and all(before <= at < before + 0.2 for at in moments)


def test_waiting_for_a_step_that_does_not_come_returns_after_the_wait() -> None:
    def hang(cancelled: Callable[[], bool]) -> Iterator[Step]:
        while not cancelled():
            time.sleep(0.01)
        yield from ()

    worker = Worker(hang)
    started = time.monotonic()
    assert worker.steps(0, 0.05) == [] and not worker.ended
    assert time.monotonic() - started < 1.0
    worker.stop()
    assert all_steps(worker) == [Ended()]


def test_stop_reaches_the_generation_and_keeps_what_was_written() -> None:
    def count(cancelled: Callable[[], bool]) -> Iterator[Step]:
        number = 0
        while not cancelled():
            yield Token(str(number := number + 1), 0.0)
            time.sleep(0.01)

    worker = Worker(count)
    first = worker.steps(0, 5.0)
    worker.stop()
    every = all_steps(worker)
    assert first[0][1] == every[0] == Token("1", 0.0) and every[-1] == Ended() and worker.ended


def test_an_answer_that_nobody_follows_is_written_to_its_end_and_can_be_followed_afterwards() -> None:
    worker = Worker(scripted(Loaded(), Token("a", 0.0), Token("b", 0.0)))
    worker.join(5.0)
    assert worker.ended and not worker.cancelled()
    assert all_steps(worker) == all_steps(worker) == [Loaded(), Token("a", 0.0), Token("b", 0.0), Ended()]
    assert [step for _, step in worker.steps(2)] == [Token("b", 0.0), Ended()]


def test_at_the_end_of_the_process_all_that_is_being_written_is_stopped() -> None:
    ended: list[int] = []

    def write(number: int) -> Answering:
        def run(cancelled: Callable[[], bool]) -> Iterator[Step]:
            while not cancelled():
                time.sleep(0.01)
            ended.append(number)
            yield Loaded()

        return run

    workers = [Worker(write(number)) for number in range(3)]
    module.stop_all(timeout=5.0)
    assert sorted(ended) == [0, 1, 2]
    assert all(all_steps(worker)[-1] == Ended() for worker in workers)


def test_an_error_meant_for_people_becomes_what_happened_and_what_to_do() -> None:
    error = StoreError("The slice is in use by process 7.", "Close that program.")
    steps = all_steps(Worker(scripted(Loaded(), error=error)))
    assert steps == [Loaded(), Failed("The slice is in use by process 7.", "Close that program."), Ended()]


def test_any_other_error_is_logged_and_named_a_defect(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="app.chat.worker"):
        _, failed, ended = all_steps(Worker(scripted(Loaded(), error=KeyError("lost"))))
    assert isinstance(failed, Failed) and "KeyError" in failed.problem and "log" in failed.fix
    assert ended == Ended()
    assert "lost" in caplog.text and "Traceback" in caplog.text
