from __future__ import annotations

from threading import Event, Thread

from indexes.store.gate import Gate


def test_many_are_inside_at_once() -> None:
    gate = Gate()
    inside, go = [Event() for _ in range(3)], Event()

    def enter(event: Event) -> None:
        with gate.passing():
            event.set()
            assert go.wait(30)

    threads = [Thread(target=enter, args=(event,)) for event in inside]
    for thread in threads:
        thread.start()
    assert all(event.wait(30) for event in inside)
    go.set()
    for thread in threads:
        thread.join(30)


def test_it_shuts_when_all_have_left_and_lets_nobody_in_meanwhile() -> None:
    gate, order = Gate(), list[str]()
    shut, entered = Event(), Event()

    def close() -> None:
        with gate.shut():
            order.append("shut")
            shut.set()
            assert not entered.wait(0.05)
            order.append("open")

    def enter() -> None:
        assert shut.wait(30)
        with gate.passing():
            order.append("entered")
            entered.set()

    with gate.passing():
        closing, entering = Thread(target=close), Thread(target=enter)
        closing.start()
        entering.start()
        assert not shut.wait(0.05)
        order.append("left")
    closing.join(30)
    entering.join(30)
    assert order == ["left", "shut", "open", "entered"]


def test_it_opens_again_where_the_work_inside_failed() -> None:
    gate = Gate()
    for enter in (gate.shut, gate.passing):
        try:
            with enter():
                raise ValueError
        except ValueError:
            pass
    with gate.passing():
        pass
    with gate.shut():
        pass
