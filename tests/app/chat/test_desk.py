from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from app.access.principal import LOCAL, Principal
from app.chat import desk as module
from app.chat.desk import Desk
from app.chat.turn import Loaded, Recorded, Step
from app.conversations.store import StoredTurn
from generators.answer import Answer

ANNA = Principal("anna@example.org")


def nothing(_: Callable[[], bool]) -> Iterator[Step]:
    yield Loaded()


def endless(cancelled: Callable[[], bool]) -> Iterator[Step]:
    while not cancelled():
        pass
    yield Loaded()


def test_a_question_is_found_by_whoever_asked_it_and_by_nobody_else() -> None:
    desk = Desk()
    asked = desk.begin(LOCAL, None, "How high?", nothing)
    assert desk.find(LOCAL, asked.id) is asked
    assert desk.find(ANNA, asked.id) is None and desk.find(replace(LOCAL, experts=frozenset()), asked.id) is None
    assert desk.find(LOCAL, "another") is None


def test_what_is_running_is_listed_until_it_ends() -> None:
    desk = Desk()
    first, second = desk.begin(LOCAL, None, "First?", endless), desk.begin(LOCAL, "c", "Second?", endless)
    assert desk.running(LOCAL) == [second, first] and desk.running(ANNA) == []
    for asked in (first, second):
        asked.worker.stop()
        asked.worker.join(5.0)
    assert desk.running(LOCAL) == [] and desk.find(LOCAL, first.id) is first


def test_a_first_question_has_its_place_once_it_is_recorded(answered: Answer) -> None:
    def recorded(_: Callable[[], bool]) -> Iterator[Step]:
        yield Recorded(StoredTurn("t", "c9", "How high?", answered, ""))

    asked = Desk().begin(LOCAL, None, "How high?", recorded)
    asked.worker.join(5.0)
    assert asked.place == "c9" and asked.recorded is not None


def test_questions_long_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    desk = Desk()
    asked = []
    for number in range(4):
        asked.append(desk.begin(LOCAL, None, f"{number}?", nothing))
        asked[-1].worker.join(5.0)
    last = desk.begin(LOCAL, None, "last?", endless)
    last.worker.stop()
    assert [desk.find(LOCAL, each.id) is not None for each in asked] == [False, False, True, True]
