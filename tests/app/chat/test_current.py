"""Several drawings of one page at once: Streamlit begins the next before the last has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event as Signal

from app.access.principal import LOCAL
from app.chat.current import Current
from app.chat.desk import Desk
from app.chat.turn import Loaded, Step
from generators.events import Token


def answering(go_on: Signal) -> Callable[[Callable[[], bool]], Iterator[Step]]:
    def run(_: Callable[[], bool]) -> Iterator[Step]:
        yield Loaded()
        yield Token("High", 0.1)
        go_on.wait(5.0)
        yield Token("er", 0.1)

    return run


def asked(go_on: Signal) -> Current:
    question = Desk().begin(LOCAL, None, "How high?", answering(go_on))
    while len(question.worker.steps(0)) < 2:
        question.worker.steps(1, 5.0)
    return Current(LOCAL, asked=question, number=1)


def test_a_drawing_that_is_left_behind_neither_ends_the_turn_of_the_next_nor_takes_its_words() -> None:
    go_on = Signal()
    kept = asked(go_on)
    left_behind, latest = kept.drawn(), kept.drawn()
    assert kept.asked is not None
    go_on.set()
    kept.asked.worker.join(5.0)
    left_behind.catch_up(1.0)
    assert left_behind.live is None and left_behind.turns[0].draft == "Higher"
    assert latest.live is not None and latest.live.draft == "High", "it still shows the Stop button"
    latest.catch_up()
    assert latest.live is None and latest.turns[0].draft == "Higher"


def test_a_turn_that_is_over_is_kept_once_whoever_draws_it_first() -> None:
    go_on = Signal()
    go_on.set()
    kept = asked(go_on)
    assert kept.asked is not None
    kept.asked.worker.join(5.0)
    first, second = kept.drawn(), kept.drawn()
    assert [turn.draft for turn in kept.turns] == ["Higher"]
    assert first.turns[0] is second.turns[0] is kept.turns[0], "a thumb given on either is seen on both"
