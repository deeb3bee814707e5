"""Everything that the HTTP server says to somebody, on every address, as one text without times and random ids."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
from fastapi.testclient import TestClient

from app.access.keys import Keys
from app.access.principal import Action
from app.conversations.store import FILE, Conversations
from app.server.app import make_app
from app.symposium import Symposium
from tests.app.access.systems import Asked, plain

TIMES = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}\.\d+\+00:00| UTC)?")
IDS = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
HEADERS = ("content-type", "www-authenticate", "retry-after", "cache-control", "allow")
ASKING = [Action.ASK]

Request = tuple[str, str, dict[str, Any]]


def everything(
    symposium: Symposium,
    sees: frozenset[str] | None,
    scope: frozenset[str],
    asked: Iterable[Asked],
    names: Iterable[str],
) -> str:
    """What a key that may ask, and one that may do everything, are told on all addresses.

    Parameters
    ----------
    sees
        What the key that asks sees; ``None`` for all there is.
    scope
        What the key that may do everything sees.
    names
        Experts that it asks for by name, whether they are there or not.
    """
    home = symposium.panel.folder
    keys = Keys(home / "keys.json")
    keys.file.unlink(missing_ok=True)
    anna = {"Authorization": f"Bearer {keys.create('anna', sees, ASKING)}"}
    boss = {"Authorization": f"Bearer {keys.create('boss', scope, list(Action))}"}
    app = make_app(symposium, Conversations(home / FILE), keys)
    told = []
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        for how, requests in ((anna, reading(client, anna, list(asked), list(names))), (boss, writing(list(names)))):
            for method, path, more in requests:
                told.append((method, path, more, shown(client.request(method, path, headers=how, **more))))
        ready = client.get("/readyz")
        told.append(("GET", "/readyz", {}, shown(ready)))
    return normal(json.dumps(told, indent=1).replace(str(home), "FOLDER"))


def reading(client: TestClient, key: dict[str, str], asked: list[Asked], names: list[str]) -> Iterator[Request]:
    """All that can be asked, and the conversations that come of it."""
    yield from (("GET", path, {}) for path in ("/v1/experts", "/v1/models", "/metrics", "/v1/none", "/openapi.json"))
    for each in asked:
        yield from questions(each)
    for name in names:
        yield "GET", f"/v1/models/symposia/{name}", {}
        yield from (("GET", f"/v1/documents?expert={name}{more}", {}) for more in ("", "&like=CANARY", "&limit=0"))
    yield "GET", "/v1/conversations", {}
    for kept in client.get("/v1/conversations", headers=key).json()["conversations"]:
        place = f"/v1/conversations/{kept['id']}"
        turns = client.get(place, headers=key).json()["turns"]
        yield "GET", place, {}
        yield "POST", "/v1/feedback", {"json": {"turn": turns[0]["id"], "helpful": True, "comment": "Good."}}
        yield "POST", "/v1/ask", {"json": {"question": "And what else?", "conversation": kept["id"]}}
        yield "GET", f"{place}/markdown", {}
        yield "DELETE", place, {}
        yield "GET", place, {}
    yield "POST", "/v1/feedback", {"json": {"turn": "none", "helpful": True}}


def questions(asked: Asked) -> Iterator[Request]:
    """One question by every way in which it can be asked."""
    wishes = {"experts": list(asked.experts), "forbid": list(asked.forbid), "retrieval": asked.retrieval}
    body = {"question": asked.question, **wishes}
    yield "POST", "/v1/ask", {"json": {**body, "remember": True}}
    yield "POST", "/v1/ask", {"json": {**body, "stream": True}}
    yield "POST", "/v1/retrieve", {"json": {**body, "passages": 3}}
    before = [{"question": "What of the orchard?", "answer": "Apples."}]
    yield "POST", "/v1/retrieve", {"json": {**body, "question": "And when does it blossom?", "before": before}}
    for stream in (False, True):
        messages = [{"role": "user", "content": asked.question}]
        yield "POST", "/v1/chat/completions", {"json": {"messages": messages, "stream": stream, **wishes}}
        for expert in asked.experts[:1]:
            model = f"symposia/{expert}"
            yield "POST", "/v1/chat/completions", {"json": {"model": model, "messages": messages, "stream": stream}}


def writing(names: list[str]) -> Iterator[Request]:
    """What changes nothing, or is refused: documents for experts that are not there or not seen, and what they do not have."""
    yield "GET", "/metrics", {}
    for name in names:
        yield "DELETE", f"/v1/documents/none?expert={name}", {}
        yield "POST", "/v1/documents", {"json": {"expert": name, "text": " "}}
        yield "POST", "/v1/documents/upload", {"data": {"expert": name}, "files": {"files": ("a.txt", " ")}}


def shown(response: httpx.Response) -> Any:
    """Status, the headers that say something, and the body as plain values without times."""
    headers = {name: response.headers.get(name) for name in HEADERS}
    return response.status_code, headers, _body(response)


def _body(response: httpx.Response) -> Any:
    kind = response.headers.get("content-type", "").partition(";")[0]
    if kind == "application/json":
        return plain(response.json())
    if kind == "text/event-stream":
        return [[_line(line) for line in event.split("\n")] for event in response.text.strip().split("\n\n")]
    return response.text


def _line(line: str) -> Any:
    name, _, value = line.partition(": ")
    return (name, plain(json.loads(value))) if name == "data" and value.startswith("{") else (name, value)


def normal(text: str) -> str:
    """Random ids by the order in which they come, and times left out."""
    known: dict[str, str] = {}
    text = IDS.sub(lambda match: known.setdefault(match[0], f"ID-{len(known)}"), text)
    text = re.sub(r'"created": \d+', '"created": 0', text)
    return TIMES.sub("TIME", text)
