"""Health, readiness, metrics, traces."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from app.access.keys import Keys
from app.library import ExpertCard
from app.server.traced import trace_of
from indexes.errors import MissingModelError
from tests.app.server.conftest import QUESTION, System, here, wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def measures(client: TestClient) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        (sample.name, tuple(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }


def test_what_is_asked_is_measured(client: TestClient) -> None:
    client.post("/v1/ask", json={"question": QUESTION})
    client.post("/v1/ask", json={"question": "Hello!", "stream": True})
    client.get("/v1/conversations/anything")
    client.get("/made/up")
    found = measures(client)
    assert found["symposia_answers_total", ("answered",)] == 1
    assert found["symposia_answers_total", ("answered from memory",)] == 1
    assert found["symposia_http_requests_total", ("POST", "/v1/ask", "200")] == 2
    assert found["symposia_http_requests_total", ("GET", "/v1/conversations/{conversation}", "404")] == 1
    assert found["symposia_http_requests_total", ("GET", "other", "404")] == 1
    assert found["symposia_stage_seconds_count", ("retrieve",)] == 2
    assert found["symposia_tokens_total", ()] > 50
    assert found["symposia_http_requests_in_flight", ()] == 1  # the one that reads them
    assert found["symposia_queue_length", ()] == 0


def test_measures_name_no_expert_and_hold_no_text(client: TestClient) -> None:
    client.post("/v1/ask", json={"question": QUESTION, "experts": ["weights"]})
    text = client.get("/metrics").text
    assert "weights" not in text
    assert "Bavok" not in text


def test_a_server_whose_model_is_missing_lives_and_is_not_ready(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise MissingModelError("There is no model.", "Fetch it.")

    monkeypatch.setattr(system.model, "load", fail)
    with here(system.app()) as client:
        wait_until(lambda: client.get("/readyz").json()["models"] == "missing")
        refused = client.get("/readyz")
        assert (refused.status_code, refused.json()["ready"]) == (503, False)
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.post("/v1/retrieve", json={"question": QUESTION}).status_code == 200


def test_a_server_none_of_whose_slices_can_be_opened_is_not_ready(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = [ExpertCard("weights", problem="It is damaged.")]
    monkeypatch.setattr(system.symposium, "experts", lambda: cards)
    with here(system.app()) as client:
        wait_until(lambda: client.get("/readyz").json()["models"] == "loaded")
        refused = client.get("/readyz")
        assert (refused.status_code, refused.json()["broken"]) == (503, 1)
        assert "weights" not in refused.text
        monkeypatch.setattr(system.symposium, "experts", lambda: [*cards, ExpertCard("colours")])
        assert client.get("/readyz").status_code == 200


def test_a_server_without_experts_is_ready_for_the_documents_that_make_one(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system.symposium, "experts", list)
    with here(system.app()) as client:
        wait_until(lambda: client.get("/readyz").json()["models"] == "loaded")
        found = client.get("/readyz")
    assert (found.status_code, found.json()) == (200, {"ready": True, "models": "loaded", "experts": 0, "broken": 0})


def test_readiness_tells_nothing_of_experts_where_keys_are_asked_for(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system.symposium, "experts", lambda: [ExpertCard("weights", problem="It is damaged.")])
    with here(system.app(keys=Keys(system.home / "keys.json"))) as client:
        wait_until(lambda: client.get("/readyz").json()["models"] == "loaded")
        found = client.get("/readyz")
    assert (found.status_code, found.json()) == (
        200,
        {"ready": True, "models": "loaded", "experts": None, "broken": None},
    )


def test_a_trace_that_comes_with_a_request_is_gone_on_with(client: TestClient) -> None:
    response = client.post(
        "/v1/retrieve", json={"question": QUESTION}, headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    )
    assert response.headers["X-Trace-Id"] == response.json()["trace"] == TRACE


@pytest.mark.parametrize(
    ("parent", "kept"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", True),
        (f"01-{TRACE}-00f067aa0ba902b7-01-more", True),
        (f"00-{TRACE}-0000000000000000-01", False),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", False),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", False),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", False),
        (TRACE, False),
        ("", False),
    ],
)
def test_only_a_proper_traceparent_counts(parent: str, kept: bool) -> None:
    trace = trace_of(parent)
    assert (trace == TRACE) is kept
    assert len(trace) == 32


def test_every_request_has_a_trace_of_its_own(client: TestClient) -> None:
    traces = {client.get(path).headers["X-Trace-Id"] for path in ("/healthz", "/healthz", "/nowhere", "/v1/experts")}
    assert len(traces) == 4


def test_unknown_addresses_and_methods_have_the_same_body(client: TestClient) -> None:
    missing, method = client.get("/nowhere"), client.put("/v1/ask")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found")
    assert (method.status_code, method.json()["error"]["type"]) == (405, "method_not_allowed")
    assert method.headers["Allow"] == "POST"
    assert set(missing.json()["error"]) == {"problem", "fix", "type", "trace"}
