"""What a running server does under load: several clients at once, each with its own questions, each answer checked to be its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np

from evaluation.intervals import Interval, percentile_interval
from indexes.errors import InputError, ServerError

WAYS = ("json", "events", "openai")
TIMEOUT = 600.0  # seconds for an answer, its place in the queue included
RESAMPLES = 2000

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Load:
    """How it went.

    Parameters
    ----------
    clients, n
        Clients at once, and questions of all together.
    p50, p95
        Seconds of a question, from sent to the last byte, with 95 % bootstrap intervals over questions.
    per_minute
        Questions that were answered in a minute.
    wrong
        What went wrong, in words: refusals, errors, and answers to another question.
    """

    clients: int
    n: int
    p50: Interval
    p95: Interval
    per_minute: float
    wrong: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "clients": self.clients,
            "n": self.n,
            "p50": self.p50.to_dict(),
            "p95": self.p95.to_dict(),
            "per_minute": self.per_minute,
            "wrong": list(self.wrong),
        }


def run(
    url: str,
    questions: Sequence[str],
    *,
    clients: int = 8,
    each: int = 50,
    key: str = "",
    seed: int = 0,
    report: Report = lambda _done, _total: None,
) -> Load:
    """Let clients ask at once, each a question after the other, by JSON, events and OpenAI's API in turn.

    Parameters
    ----------
    url
        Of the server.
    questions
        To draw from.
    each
        Questions of one client.
    key
        Sent with each request, where the server asks for one.
    report
        Called with the questions answered so far, and all of them.

    Raises
    ------
    InputError
        There is no question to ask.
    ServerError
        The server is not ready.
    """
    if not questions:
        raise InputError("There are no questions to ask.", "Name a file with one question a line.")
    _check_ready(url)
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(questions), size=(clients, each))
    seconds, wrong, lock, began = list[float](), list[str](), threading.Lock(), time.perf_counter()

    def one(number: int) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False) as client:
            for turn, index in enumerate(drawn[number]):
                sent = time.perf_counter()
                problem = ask(client, questions[int(index)], WAYS[(number + turn) % len(WAYS)])
                with lock:
                    seconds.append(time.perf_counter() - sent)
                    wrong.extend([problem] if problem else [])
                    report(len(seconds), clients * each)

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, range(clients)))
    minutes = (time.perf_counter() - began) / 60
    right = len(seconds) - len(wrong)
    p50, p95 = (_percentile(np.array(seconds), share, seed) for share in (50, 95))
    return Load(clients, len(seconds), p50, p95, right / minutes, tuple(wrong))


def ask(client: httpx.Client, question: str, way: str) -> str:
    """Ask one question; gives what is wrong with the response, or nothing."""
    try:
        if way == "openai":
            body: dict[str, Any] = {"messages": [{"role": "user", "content": question}]}
            response = client.post("/v1/chat/completions", json=body)
        else:
            response = client.post("/v1/ask", json={"question": question, "stream": way == "events"})
    except httpx.HTTPError as error:
        return f"{way}: {question}: {type(error).__name__}: {error}"
    if response.status_code != 200:
        return f"{way}: {question}: status {response.status_code}: {response.text[:200]}"
    answered = _answered(response.text, way)
    return "" if answered == question else f"{way}: {question}: the answer is to {answered!r}"


def _answered(text: str, way: str) -> str:
    """The question that a response answers; what it says instead where there is none."""
    try:
        if way == "events":
            text = text.rstrip().rpartition("\n\n")[2].partition("data: ")[2]
        found = json.loads(text)
        return str((found["symposia"] if way == "openai" else found)["answer"]["question"])
    except (ValueError, KeyError, TypeError):
        return text[:200]


def _check_ready(url: str) -> None:
    try:
        response = httpx.get(f"{url}/readyz", timeout=30, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServerError(f"There is no server at {url}: {error}", "Start one: `symposia serve`.") from error
    if response.status_code != 200:
        raise ServerError(
            f"The server at {url} is not ready: {response.text[:200]}", "Wait until its models are loaded."
        )


def _percentile(seconds: np.ndarray[Any, np.dtype[np.float64]], share: float, seed: int) -> Interval:
    generator = np.random.default_rng(seed)
    draws = np.percentile(generator.choice(seconds, (RESAMPLES, len(seconds))), share, axis=1)
    return percentile_interval(float(np.percentile(seconds, share)), draws)
