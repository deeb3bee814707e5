from __future__ import annotations

import contextvars
import re
import threading

from app.telemetry.trace import current_trace, new_trace, span, using


def test_a_new_trace_is_the_current_one_until_the_next() -> None:
    def body() -> None:
        assert current_trace() == ""
        first = new_trace()
        assert re.fullmatch(r"[0-9a-f]{32}", first)
        assert current_trace() == first
        with using("a" * 32):
            assert current_trace() == "a" * 32
        assert current_trace() == first
        second = new_trace()
        assert second != first
        assert current_trace() == second

    contextvars.Context().run(body)


def test_threads_have_traces_of_their_own() -> None:
    seen: list[str] = []
    thread = threading.Thread(target=lambda: seen.extend([current_trace(), new_trace()]))
    thread.start()
    thread.join()
    assert seen[0] == ""
    assert current_trace() != seen[1]


def test_a_span_that_nobody_listens_to_is_one_and_the_same_object_and_lets_errors_through() -> None:
    with span("route", passages=3) as first, span("rerank") as second:
        first.set(passages=4)
        assert first is second
    try:
        with span("route"):
            raise KeyError("x")
    except KeyError as error:
        assert error.args == ("x",)
    else:
        raise AssertionError("the error was swallowed")
