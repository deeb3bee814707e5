"""A system on fakes behind the server: two experts, whose every passage answers a question of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.access.audit import Audit
from app.access.keys import Keys
from app.access.limits import Limits
from app.conversations.store import Conversations
from app.server.app import make_app
from app.settings import Settings
from app.settings.schema import Serve
from app.symposium import Symposium
from generators.answerer import Answerer, Options
from generators.policies.registry import policy
from indexes.store.open import MEMORY, opener
from retrievers.panel import Panel
from tests.app.server.reading import ReadingModel
from tests.fakes import WordEncoder, make_passages
from tests.retrievers.conftest import fill

WEIGHTS = ("Bavok", "Cerul", "Dimor", "Efnal", "Gorim", "Hulat", "Jupek", "Kolin", "Lemor", "Mirun")
COLOURS = ("Napel", "Orvit", "Pasul", "Quirm", "Rofen", "Selka", "Tomur", "Ulvan", "Vesip", "Wonar")
PASSAGES = {
    "weights": [f"The stone named {name} weighs {n} pounds on the market scale." for n, name in enumerate(WEIGHTS, 11)],
    "colours": [f"The flower called {name} blooms {n} days in deep colour." for n, name in enumerate(COLOURS, 31)],
}
QUESTIONS = {
    **{f"How much does the stone named {name} weigh on the market scale?": name for name in WEIGHTS},
    **{f"How many days blooms the flower called {name} in deep colour?": name for name in COLOURS},
}
QUESTION = next(iter(QUESTIONS))


@dataclass
class System:
    """Everything behind one server."""

    home: Path
    model: ReadingModel
    symposium: Symposium
    conversations: Conversations
    serve: Serve = field(default_factory=Serve)

    def app(
        self, *, keys: Keys | None = None, audit: Audit | None = None, limits: Limits | None = None, **serve: Any
    ) -> FastAPI:
        """A server with these settings of ``[serve]``."""
        made = self.serve.model_copy(update=serve)
        return make_app(self.symposium, self.conversations, keys, audit, limits, made)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """Two experts and a model that reads out the first source."""
    panel = Panel(tmp_path / "slices", WordEncoder(), opener(MEMORY))
    for name, texts in PASSAGES.items():
        fill(panel, name, make_passages(texts, title=name.title()))
    model = ReadingModel()
    answerer = Answerer(model, policy("greedy"), replace(Options(), conflicts=False), list)
    with Symposium(Settings(home=tmp_path), panel, lambda: answerer) as symposium:
        yield System(tmp_path, model, symposium, Conversations(tmp_path / "conversations.db"))


def here(app: FastAPI, **more: Any) -> TestClient:
    """A client in this process that looks as one on this machine does."""
    return TestClient(app, base_url="http://127.0.0.1:8000", **more)


@pytest.fixture
def client(system: System) -> Iterator[TestClient]:
    """A client of a server without keys, whose models are loaded."""
    with here(system.app()) as made:
        wait_until(lambda: made.get("/readyz").status_code == 200)
        yield made


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until something is so, or fail."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to be in time"
        time.sleep(0.01)


@contextlib.contextmanager
def running(app: FastAPI, drain: int = 2) -> Iterator[str]:
    """A real server on a free port of this machine; gives its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=drain)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            wait_until(lambda: server.started)
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: httpx.get(f"{url}/readyz").status_code == 200)
            yield url
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
