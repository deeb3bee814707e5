from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from indexes.errors import MissingModelError, ServerError
from tests.app.server.conftest import QUESTION, QUESTIONS, System, here, wait_until
from tests.app.server.reading import MEMORY

Events = list[tuple[str, dict[str, Any]]]


def events(text: str) -> Events:
    """Server-sent events by name, with their data."""
    found = []
    for block in filter(None, text.split("\n\n")):
        name, _, data = block.partition("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_a_question_gets_its_answer_with_citations(client: TestClient) -> None:
    response = client.post("/v1/ask", json={"question": QUESTION})
    assert response.status_code == 200
    found = response.json()
    answer = found["answer"]
    assert QUESTIONS[QUESTION] in answer["text"]
    assert (answer["verdict"], answer["route"]["experts"]) == ("answered", ["weights"])
    assert answer["marked"].endswith(" [1]")
    assert (found["conversation"], found["turn"]) == (None, None)
    assert found["trace"] == response.headers["X-Trace-Id"]


@pytest.mark.parametrize("how", ["field", "header"])
def test_events_come_in_order_and_the_last_holds_the_answer(client: TestClient, how: str) -> None:
    more: dict[str, Any] = {"json": {"question": QUESTION, "stream": how == "field"}}
    if how == "header":
        more["headers"] = {"Accept": "text/event-stream"}
    response = client.post("/v1/ask", **more)
    assert response.headers["Content-Type"].startswith("text/event-stream")
    found = events(response.text)
    names = [name for name, _ in found]
    assert list(dict.fromkeys(names)) == ["stage", "route", "source", "token", "citation", "done"]
    assert [data["stage"] for name, data in found if name == "stage"] == ["route", "sources", "check", "answer"]
    seconds = [data["seconds"] for name, data in found if name == "stage"]
    assert seconds == sorted(seconds)
    done = found[-1][1]
    assert "".join(data["text"] for name, data in found if name == "token") == done["answer"]["text"]
    assert [data for name, data in found if name == "citation"] == done["answer"]["claims"]
    assert [data for name, data in found if name == "source"] == done["answer"]["evidence"]
    assert done["trace"] == response.headers["X-Trace-Id"]


def test_wishes_are_heeded(client: TestClient) -> None:
    forced = client.post("/v1/ask", json={"question": QUESTION, "experts": ["colours"]}).json()["answer"]
    assert forced["route"]["experts"] == ["colours"]
    memory = client.post("/v1/ask", json={"question": QUESTION, "retrieval": False}).json()["answer"]
    assert (memory["text"], memory["verdict"]) == (MEMORY, "answered from memory")
    forbidden = client.post("/v1/ask", json={"question": QUESTION, "forbid": ["weights"]}).json()["answer"]
    assert "weights" not in forbidden["route"]["experts"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"question": "?!"}, "no word and no number"),
        ({"question": "x", "experts": ["nobody"]}, "no expert named 'nobody'"),
        ({"question": "x" * 4001}, "at most 4000 characters"),
        ({"question": "\ud800"}, "body.question"),
        ({"question": "x", "unknown": 1}, "body.unknown"),
        ({"question": "x", "retrieval": 0}, "body.retrieval"),
        ({"question": "x", "remember": "yes"}, "body.remember"),
        ({"question": "x", "conversation": "c", "before": [{"question": "q", "answer": "a"}]}, "not both"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is_sent(
    client: TestClient, body: dict[str, Any], problem: str, stream: bool
) -> None:
    content = json.dumps(body | {"stream": stream})
    response = client.post("/v1/ask", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    error = response.json()["error"]
    assert problem in error["problem"]
    assert error["fix"]
    assert (error["type"], error["trace"]) == ("invalid_request", response.headers["X-Trace-Id"])


@pytest.mark.parametrize(
    ("error", "status"),
    [(MissingModelError("No model.", "Fetch it."), 503), (ServerError("It is down.", "Start it."), 502)],
)
def test_errors_of_the_system_have_a_status_by_their_kind(
    system: System, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    with here(system.app()) as client:
        monkeypatch.setattr(system.model, "prefill", fail)
        response = client.post("/v1/ask", json={"question": QUESTION})
        assert response.status_code == status
        assert response.json()["error"]["problem"] == error.args[0]
        streamed = events(client.post("/v1/ask", json={"question": QUESTION, "stream": True}).text)
        assert streamed[-1][0] == "error"
        assert (streamed[-1][1]["problem"], streamed[-1][1]["status"]) == (error.args[0], status)
        assert [name for name, _ in streamed].count("source") > 0


def test_a_defect_shows_a_trace_and_no_traceback_and_is_logged(
    system: System, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    with here(system.app()) as client:
        monkeypatch.setattr(system.model, "prefill", fail)
        response = client.post("/v1/ask", json={"question": QUESTION})
        assert client.post("/v1/ask", json={"question": QUESTION, "retrieval": False}).status_code == 500
        monkeypatch.undo()
        assert client.post("/v1/ask", json={"question": QUESTION}).status_code == 200
    assert response.status_code == 500
    assert "secret detail" not in response.text
    assert "Traceback" not in response.text
    assert response.json()["error"]["type"] == "internal"
    assert response.headers["X-Trace-Id"] in caplog.text
    assert "secret detail" in caplog.text


def test_a_conversation_is_kept_gone_on_with_read_exported_judged_and_deleted(client: TestClient) -> None:
    first = client.post("/v1/ask", json={"question": QUESTION, "remember": True}).json()
    conversation = first["conversation"]
    again = client.post("/v1/ask", json={"question": "What is the capital of it?", "conversation": conversation})
    assert again.json()["conversation"] == conversation
    [listed] = client.get("/v1/conversations").json()["conversations"]
    assert (listed["id"], listed["title"], listed["turns"]) == (conversation, QUESTION, 2)
    judged = client.post("/v1/feedback", json={"turn": first["turn"], "helpful": True, "comment": "Right."})
    assert judged.status_code == 204
    turns = client.get(f"/v1/conversations/{conversation}").json()["turns"]
    assert [(turn["asked"], turn["helpful"], turn["comment"]) for turn in turns] == [
        (QUESTION, True, "Right."),
        ("What is the capital of it?", None, ""),
    ]
    assert turns[0]["answer"] == first["answer"]
    exported = client.get(f"/v1/conversations/{conversation}/markdown")
    assert exported.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert QUESTION in exported.text
    assert client.delete(f"/v1/conversations/{conversation}").status_code == 204
    assert client.get("/v1/conversations").json() == {"conversations": []}


@pytest.mark.parametrize("how", ["json", "events"])
def test_an_answer_that_cannot_be_kept_is_given_with_the_reason(
    system: System, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    kept = system.conversations.file
    with here(system.app()) as client:
        assert client.post("/v1/ask", json={"question": QUESTION, "remember": True}).json()["unrecorded"] is None
        for each in kept.parent.glob(f"{kept.name}-*"):
            each.unlink()
        kept.write_bytes(b"no database " * 1000)
        response = client.post("/v1/ask", json={"question": QUESTION, "remember": True, "stream": how == "events"})
    assert response.status_code == 200
    found = response.json() if how == "json" else events(response.text)[-1][1]
    assert QUESTIONS[QUESTION] in found["answer"]["text"]
    assert (found["conversation"], found["turn"]) == (None, None)
    assert "is no database" in found["unrecorded"]["problem"]
    assert "Move the file away" in found["unrecorded"]["fix"]
    assert "An answer was not kept" in caplog.text


@pytest.mark.parametrize("form", ["", "/markdown"])
def test_an_unknown_conversation_is_not_found(client: TestClient, form: str) -> None:
    assert client.get(f"/v1/conversations/none{form}").status_code == 404
    assert client.delete("/v1/conversations/none").status_code == 404
    assert client.post("/v1/ask", json={"question": QUESTION, "conversation": "none"}).status_code == 404
    assert client.post("/v1/feedback", json={"turn": "none", "helpful": True}).status_code == 404


def test_what_was_asked_before_reaches_the_symposium(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    stream = type(system.symposium).stream

    def noted(self: Any, question: str, **wishes: Any) -> Any:
        given.append(wishes["before"])
        return stream(self, question, **wishes)

    monkeypatch.setattr(type(system.symposium), "stream", noted)
    with here(system.app()) as client:
        before = [{"question": "Which stone?", "answer": "Bavok."}]
        client.post("/v1/ask", json={"question": QUESTION, "before": before})
        kept = client.post("/v1/ask", json={"question": QUESTION, "remember": True}).json()
        client.post("/v1/ask", json={"question": QUESTION, "conversation": kept["conversation"]})
    told = [[(item.question, item.answer) for item in each] for each in given]
    assert told == [[("Which stone?", "Bavok.")], [], [(QUESTION, kept["answer"]["text"])]]


def test_a_follow_up_is_told_as_it_was_understood(client: TestClient) -> None:
    body = {"question": "And how heavy is it?", "before": [{"question": QUESTION, "answer": "Eleven pounds."}]}
    found = events(client.post("/v1/ask", json=body | {"stream": True}).text)
    [understood] = [data["question"] for name, data in found if name == "understood"]
    assert understood != body["question"]
    assert found[-1][1]["answer"]["question"] == understood
    assert [name for name, _ in found].index("understood") < [name for name, _ in found].index("route")
    assert "Bavok" in client.post("/v1/retrieve", json=body).json()["evidence"][0]["passage"]["text"]


def test_a_full_queue_is_told_with_the_time_to_come_again(system: System) -> None:
    app = system.app(queue=0)
    service = app.state.service
    with here(app) as client:
        service.turns.admitted = 1
        for path, body in (
            ("/v1/ask", {"question": QUESTION}),
            ("/v1/ask", {"question": QUESTION, "stream": True}),
            ("/v1/retrieve", {"question": "And it?", "before": [{"question": QUESTION, "answer": "Eleven."}]}),
            ("/v1/chat/completions", {"messages": [{"role": "user", "content": QUESTION}]}),
        ):
            response = client.post(path, json=body)
            assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        service.turns.admitted = 0
        assert client.post("/v1/ask", json={"question": QUESTION}).status_code == 200
    assert service.turns.admitted == 0
    assert not service.running


def test_questions_wait_until_the_models_are_loaded(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    loading: list[bool] = []
    load = system.model.load

    def slow() -> None:
        loading.append(True)
        wait_until(lambda: bool(service.running))
        load()

    monkeypatch.setattr(system.model, "load", slow)
    app = system.app()
    service = app.state.service
    with here(app) as client:
        assert client.get("/readyz").json()["models"] == "loading"
        assert client.post("/v1/ask", json={"question": QUESTION}).status_code == 200
        assert client.get("/readyz").json() == {"ready": True, "models": "loaded", "experts": 2, "broken": 0}
    assert loading == [True]
