from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.access.audit import Audit
from app.access.keys import Keys
from app.access.limits import Limits
from app.access.principal import Action
from tests.app.server.conftest import QUESTION, System, here

Secrets = dict[str, dict[str, str]]

ROUTES = (
    ("GET", "/v1/experts", None, Action.ASK),
    ("GET", "/v1/models", None, Action.ASK),
    ("GET", "/v1/conversations", None, Action.ASK),
    ("GET", "/v1/documents?expert=colours", None, Action.ASK),
    ("POST", "/v1/ask", {"question": QUESTION}, Action.ASK),
    ("POST", "/v1/retrieve", {"question": QUESTION}, Action.ASK),
    ("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]}, Action.ASK),
    ("POST", "/v1/feedback", {"turn": "none", "helpful": True}, Action.ASK),
    ("POST", "/v1/documents", {"expert": "colours", "text": "A flower."}, Action.WRITE),
    ("DELETE", "/v1/documents/none?expert=colours", None, Action.WRITE),
    ("GET", "/metrics", None, Action.ADMIN),
)


@pytest.fixture
def secrets(system: System) -> Secrets:
    """Headers of keys: anna sees all and may do all, bob sees the colours and may ask, zoe may do nothing but write."""
    keys = Keys(system.home / "keys.json")
    made = {
        "anna": keys.create("anna", actions=Action),
        "bob": keys.create("bob", experts=["colours"]),
        "zoe": keys.create("zoe", actions=[Action.WRITE]),
    }
    return {name: {"Authorization": f"Bearer {secret}"} for name, secret in made.items()}


@pytest.fixture
def guarded(system: System, secrets: Secrets) -> Iterator[TestClient]:
    """A client of a server that asks for keys and keeps an audit log."""
    del secrets
    app = system.app(keys=Keys(system.home / "keys.json"), audit=Audit(system.home / "audit.jsonl"))
    with here(app) as made:
        yield made


@pytest.mark.parametrize(("method", "path", "body", "action"), ROUTES)
def test_every_route_asks_for_a_key_and_for_the_right_to_do_it(
    guarded: TestClient, secrets: Secrets, method: str, path: str, body: Any, action: Action
) -> None:
    for headers in ({}, {"Authorization": "Bearer sym_wrong"}, {"Authorization": "Basic YTpi"}):
        refused = guarded.request(method, path, json=body, headers=headers)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert refused.json()["error"]["type"] == "unauthorized"
    without = "bob" if action is not Action.ASK else "zoe"
    forbidden = guarded.request(method, path, json=body, headers=secrets[without])
    assert forbidden.status_code == 403
    assert action.value in forbidden.json()["error"]["fix"]
    assert guarded.request(method, path, json=body, headers=secrets["anna"]).status_code not in {401, 403}


def test_a_key_counts_where_none_is_asked_for_too(system: System, secrets: Secrets) -> None:
    with here(system.app()) as open_to_all:
        seen = {
            name: [expert["name"] for expert in open_to_all.get("/v1/experts", headers=headers).json()["experts"]]
            for name, headers in {
                "none": {},
                "of another server": {"Authorization": "Bearer sk-anything"},
                "bob": secrets["bob"],
            }.items()
        }
        assert seen == {"none": ["colours", "weights"], "of another server": ["colours", "weights"], "bob": ["colours"]}
        assert open_to_all.get("/v1/experts", headers={"Authorization": "Bearer sym_revoked"}).status_code == 401
        assert open_to_all.get("/metrics", headers=secrets["bob"]).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json"])
def test_health_and_the_document_need_no_key(guarded: TestClient, path: str) -> None:
    assert guarded.get(path).status_code in {200, 503}


def test_an_expert_that_a_key_does_not_see_is_nowhere(guarded: TestClient, secrets: Secrets) -> None:
    bob = secrets["bob"]
    bodies = {"question": QUESTION}
    seen = [
        guarded.get("/v1/experts", headers=bob),
        guarded.get("/v1/models", headers=bob),
        guarded.get("/v1/documents?expert=weights", headers=bob),
        guarded.get("/v1/models/symposia/weights", headers=bob),
        guarded.post("/v1/retrieve", json=bodies, headers=bob),
        guarded.post("/v1/ask", json=bodies, headers=bob),
        guarded.post("/v1/ask", json=bodies | {"stream": True}, headers=bob),
        guarded.post("/v1/ask", json=bodies | {"experts": ["weights"]}, headers=bob),
        guarded.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": QUESTION}]}, headers=bob),
    ]
    assert [response.status_code for response in seen] == [200, 200, 404, 404, 200, 200, 200, 422, 200]
    for response in seen:
        told = response.text.replace(QUESTION, "")
        assert "pounds" not in told
        names = told.replace("'weights'", "").replace("symposia/weights", "")  # the name that was asked for
        assert "weights" not in names.lower(), response.url


def test_unknown_and_unseen_experts_are_told_alike(guarded: TestClient, secrets: Secrets) -> None:
    def told(name: str) -> list[tuple[int, str]]:
        found = []
        for response in (
            guarded.post("/v1/ask", json={"question": QUESTION, "experts": [name]}, headers=secrets["bob"]),
            guarded.get(f"/v1/documents?expert={name}", headers=secrets["bob"]),
            guarded.post(
                "/v1/chat/completions",
                json={"model": f"symposia/{name}", "messages": [{"role": "user", "content": QUESTION}]},
                headers=secrets["bob"],
            ),
        ):
            trace = response.headers["X-Trace-Id"]
            found.append((response.status_code, response.text.replace(trace, "").replace(name, "NAME")))
        return found

    assert told("weights") == told("nobody")


def test_conversations_are_their_owners(guarded: TestClient, secrets: Secrets) -> None:
    kept = guarded.post("/v1/ask", json={"question": QUESTION, "remember": True}, headers=secrets["anna"]).json()
    place = f"/v1/conversations/{kept['conversation']}"
    assert guarded.get(place, headers=secrets["anna"]).status_code == 200
    for response in (
        guarded.get(place, headers=secrets["bob"]),
        guarded.get(f"{place}/markdown", headers=secrets["bob"]),
        guarded.delete(place, headers=secrets["bob"]),
        guarded.post("/v1/feedback", json={"turn": kept["turn"], "helpful": True}, headers=secrets["bob"]),
        guarded.post(
            "/v1/ask", json={"question": QUESTION, "conversation": kept["conversation"]}, headers=secrets["bob"]
        ),
    ):
        assert response.status_code == 404
        assert QUESTION not in response.text
    assert guarded.get("/v1/conversations", headers=secrets["bob"]).json() == {"conversations": []}


def test_a_revoked_key_is_worthless_at_once(system: System, guarded: TestClient, secrets: Secrets) -> None:
    assert guarded.get("/v1/experts", headers=secrets["bob"]).status_code == 200
    Keys(system.home / "keys.json").revoke("bob")
    assert guarded.get("/v1/experts", headers=secrets["bob"]).status_code == 401


def test_who_asks_too_often_waits_and_others_do_not(system: System, secrets: Secrets) -> None:
    limits = Limits(per_minute=60, burst=3, clock=lambda: 0.0)
    with here(system.app(keys=Keys(system.home / "keys.json"), limits=limits)) as client:
        statuses = [client.get("/v1/experts", headers=secrets["bob"]) for _ in range(4)]
        assert [response.status_code for response in statuses] == [200, 200, 200, 429]
        assert statuses[-1].headers["Retry-After"] == "1"
        assert statuses[-1].json()["error"]["type"] == "rate_limited"
        assert client.get("/v1/experts", headers=secrets["anna"]).status_code == 200
        assert client.get("/healthz").status_code == 200


def test_the_audit_log_has_what_was_done_and_what_was_not_let_be_done(
    system: System, guarded: TestClient, secrets: Secrets
) -> None:
    asked = guarded.post("/v1/ask", json={"question": QUESTION}, headers=secrets["anna"])
    guarded.post("/v1/retrieve", json={"question": QUESTION}, headers=secrets["anna"])
    guarded.post("/v1/ask", json={"question": QUESTION, "experts": ["nobody"]}, headers=secrets["bob"])
    guarded.post("/v1/documents", json={"expert": "colours", "text": "x"}, headers=secrets["bob"])
    guarded.delete("/v1/documents/none?expert=colours", headers=secrets["anna"])
    text = (system.home / "audit.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["principal"], line["action"], line["experts"], line["outcome"]) for line in lines] == [
        ("anna", "ask", ["weights"], "answered"),
        ("anna", "retrieve", ["weights"], "done"),
        ("bob", "ask", [], "InputError"),
        ("bob", "write", [], "forbidden"),
        ("anna", "delete", ["colours"], "Refusal"),
    ]
    assert lines[0]["trace"] == asked.headers["X-Trace-Id"]
    assert lines[0]["seconds"] > 0
    assert QUESTION not in text


def test_what_is_wrong_with_the_keys_is_told_to_the_log_alone(
    system: System, guarded: TestClient, secrets: Secrets, caplog: pytest.LogCaptureFixture
) -> None:
    (system.home / "keys.json").write_text("{")
    broken = guarded.get("/v1/experts", headers=secrets["anna"])
    assert (broken.status_code, broken.json()["error"]["type"]) == (500, "internal")
    assert str(system.home) not in broken.text
    assert str(system.home) in caplog.text
