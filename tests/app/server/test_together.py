"""Many clients at once, and clients that go away, on a real server."""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from tests.app.server.conftest import QUESTION, QUESTIONS, System, running, wait_until
from tests.app.server.reading import MEMORY

CLIENTS, EACH = 8, 50


def ask(client: httpx.Client, number: int) -> tuple[str, float, str]:
    """Ask one of several kinds of question by one of several ways; gives what is wrong with the answer, seconds, and how."""
    draw = random.Random(number)
    question, expected = draw.choice(
        [*QUESTIONS.items(), *((f"What is {a} * {number}?", str(a * number)) for a in (3, 7)), ("Hello!", MEMORY)]
    )
    how = draw.choice(("json", "events", "openai"))
    began = time.perf_counter()
    if how == "openai":
        body: dict[str, Any] = {"messages": [{"role": "user", "content": question}]}
        response = client.post("/v1/chat/completions", json=body)
        answer = response.json()["symposia"]["answer"]
    elif how == "json":
        response = client.post("/v1/ask", json={"question": question})
        answer = response.json()["answer"]
    else:
        response = client.post("/v1/ask", json={"question": question, "stream": True})
        last = response.text.rstrip().rpartition("\n\n")[2]
        assert last.startswith("event: done"), last
        answer = json.loads(last.partition("data: ")[2])["answer"]
    seconds = time.perf_counter() - began
    right = response.status_code == 200 and answer["question"] == question and expected in answer["text"]
    return "" if right else f"{how}: {question} -> {response.status_code} {answer['text']}", seconds, how


@pytest.mark.slow
def test_eight_clients_with_fifty_mixed_questions_each_get_their_own_answers(system: System) -> None:
    with running(system.app()) as url, httpx.Client(base_url=url, timeout=60) as shared:

        def one(client: int) -> list[tuple[str, float, str]]:
            with httpx.Client(base_url=url, timeout=60) as own:
                return [ask(own, client * EACH + number) for number in range(EACH)]

        with ThreadPoolExecutor(CLIENTS) as pool:
            results = [result for results in pool.map(one, range(CLIENTS)) for result in results]
        metrics = shared.get("/metrics").text
    p50, p95 = np.percentile([seconds for _, seconds, _ in results], [50, 95])
    told = f"{len(results)} questions, p50 {p50:.3f} s, p95 {p95:.3f} s"
    assert [wrong for wrong, _, _ in results if wrong] == [], told
    assert len(results) == CLIENTS * EACH
    assert {how for _, _, how in results} == {"json", "events", "openai"}
    assert system.model.most_at_once == 1, told
    assert p95 < 20, told
    assert "symposia_queue_length 0.0" in metrics


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_stops_its_generation_within_a_token(system: System, stream: bool) -> None:
    first = threading.Event()
    system.model.delay = 0.05
    system.model.on_token = lambda _: first.set()
    app = system.app()
    with running(app) as url:
        with httpx.Client(base_url=url) as leaving, ThreadPoolExecutor(1) as pool:
            pending = pool.submit(leaving.send, _request(leaving, stream), stream=stream)
            assert first.wait(20)
            if stream:
                assert next(pending.result().iter_raw())
            before = system.model.tokens
            _hang_up(leaving)
        wait_until(lambda: not app.state.service.running)
        after = system.model.tokens
        assert after - before <= 4  # the one being made, and what is made until the system notices a closed connection
        assert after < len("The stone named Bavok weighs 11 pounds on the market scale.")
        time.sleep(0.3)
        assert system.model.tokens == after
        system.model.delay = 0.0
        assert httpx.post(f"{url}/v1/ask", json={"question": QUESTION}, timeout=30).status_code == 200
        assert "symposia_answers_cancelled_total 1.0" in httpx.get(f"{url}/metrics").text


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_while_it_waits_leaves_the_queue(system: System, stream: bool) -> None:
    go_on, first = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        first.set()
        go_on.wait(20)

    system.model.on_token = hold
    app = system.app(queue=1)
    service = app.state.service
    with running(app) as url, ThreadPoolExecutor(2) as pool:
        writing = pool.submit(httpx.post, f"{url}/v1/ask", json={"question": QUESTION}, timeout=60)
        assert first.wait(20)
        with httpx.Client(base_url=url) as leaving:
            pool.submit(_quietly, leaving, _request(leaving, stream))
            wait_until(lambda: service.turns.queued == 1)
            full = httpx.post(f"{url}/v1/ask", json={"question": QUESTION})
            assert (full.status_code, full.headers["Retry-After"]) == (503, "5")
            _hang_up(leaving)
        wait_until(lambda: service.turns.queued == 0 and service.turns.admitted == 1)
        go_on.set()
        assert writing.result().json()["answer"]["verdict"] == "answered"
        alone = len(writing.result().json()["answer"]["text"])
        wait_until(lambda: not service.running)
    assert system.model.tokens <= alone + 1  # nothing was written for the one that left


def test_others_are_served_while_an_answer_is_written(system: System) -> None:
    go_on, first = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        first.set()
        go_on.wait(20)

    system.model.on_token = hold
    with running(system.app()) as url, ThreadPoolExecutor(1) as pool:
        writing = pool.submit(httpx.post, f"{url}/v1/ask", json={"question": QUESTION}, timeout=60)
        assert first.wait(20)
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert httpx.post(f"{url}/v1/retrieve", json={"question": QUESTION}).json()["evidence"]
        assert httpx.get(f"{url}/v1/experts").status_code == 200
        assert not writing.done()
        go_on.set()
        assert writing.result().status_code == 200


def test_who_waits_is_told_how_many_come_first(system: System) -> None:
    go_on, first = threading.Event(), threading.Event()

    def hold(_: int) -> None:
        first.set()
        go_on.wait(20)

    system.model.on_token = hold
    with running(system.app()) as url, ThreadPoolExecutor(1) as pool:
        pool.submit(httpx.post, f"{url}/v1/ask", json={"question": QUESTION}, timeout=60)
        assert first.wait(20)
        with httpx.stream("POST", f"{url}/v1/ask", json={"question": QUESTION, "stream": True}, timeout=30) as response:
            text = ""
            for piece in response.iter_text():
                text += piece
                if '"stage":"queue"' in text:
                    go_on.set()
        assert '"ahead":1' in text
        assert text.index("event: source") < text.index('"stage":"queue"') < text.index("event: token")


def test_a_server_that_is_stopped_lets_an_answer_end(system: System) -> None:
    first = threading.Event()
    system.model.delay = 0.01
    system.model.on_token = lambda _: first.set()
    with ThreadPoolExecutor(1) as pool:
        with running(system.app(), drain=20) as url:
            pending = pool.submit(httpx.post, f"{url}/v1/ask", json={"question": QUESTION}, timeout=60)
            assert first.wait(20)
        assert pending.result().json()["answer"]["verdict"] == "answered"


def test_a_server_that_is_stopped_ends_what_takes_too_long(system: System) -> None:
    first = threading.Event()
    system.model.delay = 0.2
    system.model.on_token = lambda _: first.set()
    app = system.app()
    with ThreadPoolExecutor(1) as pool:
        with running(app, drain=1) as url:
            pending = pool.submit(httpx.post, f"{url}/v1/ask", json={"question": QUESTION}, timeout=60)
            assert first.wait(20)
        tokens = system.model.tokens
        assert not app.state.service.running
        time.sleep(0.5)
        assert system.model.tokens == tokens
        assert pending.exception() is not None or pending.result().status_code >= 500


def _request(client: httpx.Client, stream: bool) -> httpx.Request:
    return client.build_request("POST", "/v1/ask", json={"question": QUESTION, "stream": stream}, timeout=30)


def _quietly(client: httpx.Client, request: httpx.Request) -> None:
    try:
        client.send(request)
    except (httpx.HTTPError, RuntimeError, OSError):
        return


def _hang_up(client: httpx.Client) -> None:
    """Close the connections at once, as a program that is killed does."""
    import socket

    for connection in client._transport._pool.connections:  # type: ignore[attr-defined]
        stream = connection._connection._network_stream
        stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
