from __future__ import annotations

import threading
import time

from retrievers.shared_lock import SharedLock


def test_many_share_it_and_one_thread_several_times() -> None:
    lock = SharedLock()
    with lock.shared(), lock.shared():
        assert lock.sharing == 2
    assert lock.sharing == 0


def test_alone_waits_for_all_who_share_and_nobody_waits_for_one_who_waits() -> None:
    lock, order = SharedLock(), list[str]()
    inside, end = threading.Event(), threading.Event()

    def sharing() -> None:
        with lock.shared():
            inside.set()
            end.wait(10)
            order.append("shared")

    def alone() -> None:
        with lock.alone() as held:
            order.append(f"alone {held}")

    threads = [threading.Thread(target=sharing), threading.Thread(target=alone)]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    time.sleep(0.05)
    with lock.shared():  # although somebody waits to have it alone
        order.append("another")
    end.set()
    for thread in threads:
        thread.join(10)
    assert order == ["another", "shared", "alone True"]


def test_whoever_shares_waits_for_the_one_who_is_alone() -> None:
    lock, order = SharedLock(), list[str]()

    def sharing() -> None:
        with lock.shared():
            order.append("shared")

    thread = threading.Thread(target=sharing)
    with lock.alone():
        thread.start()
        thread.join(0.1)
        order.append("alone")
    thread.join(10)
    assert order == ["alone", "shared"]


def test_waiting_may_be_given_up_and_nothing_is_held_then() -> None:
    lock = SharedLock()
    with lock.shared():
        with lock.alone(lambda: True) as held:
            assert not held
        assert lock.sharing == 1
    with lock.alone(lambda: True) as held:
        assert held


def test_an_error_inside_releases_it() -> None:
    lock = SharedLock()
    for hold in (lock.shared, lock.alone):
        try:
            with hold():
                raise KeyError
        except KeyError:
            pass
    with lock.alone() as held:
        assert held
