"""The official client of OpenAI, pointed at a real server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient

from app.access.keys import Keys
from app.server.openai import exchanges
from app.server.openai_schemas import Message
from tests.app.server.conftest import QUESTION, QUESTIONS, System, running

ASKED: Any = [{"role": "user", "content": QUESTION}]
NAME = QUESTIONS[QUESTION]


@pytest.fixture
def official(system: System) -> Iterator[openai.OpenAI]:
    """A client with a key that sees both experts."""
    keys = Keys(system.home / "keys.json")
    secret = keys.create("anna")
    with (
        running(system.app(keys=keys)) as url,
        openai.OpenAI(base_url=f"{url}/v1", api_key=secret, max_retries=0) as made,
    ):
        yield made


def test_the_official_client_gets_an_answer_with_citations(official: openai.OpenAI) -> None:
    completion = official.chat.completions.create(model="symposia", messages=ASKED)
    [choice] = completion.choices
    assert NAME in (choice.message.content or "")
    assert (choice.message.content or "").endswith(" [1]")
    assert choice.finish_reason == "stop"
    extension: Any = completion.model_extra and completion.model_extra["symposia"]
    [citation] = extension["citations"]
    assert (citation["number"], citation["expert"], citation["title"]) == (1, "weights", "Weights")
    assert citation["quotes"] == [extension["answer"]["text"]]
    assert completion.id == f"chatcmpl-{extension['trace']}"


def test_the_official_client_gets_a_streamed_answer_with_citations(system: System, official: openai.OpenAI) -> None:
    system.model.delay = 0.02
    stream = official.chat.completions.create(
        model="symposia", messages=ASKED, stream=True, stream_options={"include_usage": True}
    )
    chunks, written = [], []
    for chunk in stream:
        chunks.append(chunk)
        written.append(system.model.tokens)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert NAME in text
    assert text.endswith(" [1]")
    ended = next(chunk for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason == "stop")
    extension: Any = ended.model_extra and ended.model_extra["symposia"]
    assert extension["citations"][0]["quotes"] == [extension["answer"]["text"]]
    assert extension["answer"]["marked"] == text
    drafts = [(chunk.model_extra or {}).get("symposia", {}).get("draft", "") for chunk in chunks]
    assert "".join(drafts) == extension["answer"]["text"]
    assert chunks[-1].usage is not None
    assert len({chunk.id for chunk in chunks}) == 1
    first = next(i for i, draft in enumerate(drafts) if draft)
    assert written[first] < written[-1] / 2  # it came while most of the answer was still to be written
    contents = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert contents == re.findall(r"\S+\s*", text)  # word by word


def test_the_official_client_lists_experts_as_models_and_asks_one_alone(official: openai.OpenAI) -> None:
    assert [model.id for model in official.models.list()] == ["symposia", "symposia/colours", "symposia/weights"]
    assert official.models.retrieve("symposia/colours").id == "symposia/colours"
    completion: Any = official.chat.completions.create(model="symposia/colours", messages=ASKED)
    assert completion.symposia["answer"]["route"]["experts"] == ["colours"]


def test_extensions_of_the_request_are_heeded(official: openai.OpenAI) -> None:
    completion: Any = official.chat.completions.create(
        model="symposia", messages=ASKED, extra_body={"retrieval": False}
    )
    assert completion.symposia["verdict"] == "answered from memory"


def test_errors_reach_the_official_client_as_its_own(official: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="There is no model 'gpt-4'"):
        official.chat.completions.create(model="gpt-4", messages=ASKED)
    with pytest.raises(openai.NotFoundError):
        official.chat.completions.create(model="symposia/nobody", messages=ASKED)
    with pytest.raises(openai.UnprocessableEntityError, match="no word"):
        official.chat.completions.create(model="symposia", messages=[{"role": "user", "content": "?"}])
    with pytest.raises(openai.AuthenticationError, match="not known"):
        official.with_options(api_key="sym_wrong").models.list()


def test_messages_before_the_last_are_what_was_asked_before() -> None:
    told = [
        ("system", "Be brief."),
        ("user", "Which stone?"),
        ("user", "Which stone is heavy?"),
        ("assistant", "Bavok is heavy. [1] [2] Cerul is not. [unsupported]"),
        ("assistant", "Is that all?"),
        ("user", [{"type": "text", "text": "And"}, {"type": "image_url"}, {"type": "text", "text": "light?"}]),
        ("assistant", "Cerul."),
    ]
    messages = [Message.model_validate({"role": role, "content": content}) for role, content in told]
    found = [(item.question, item.answer) for item in exchanges(messages)]
    assert found == [
        ("Which stone is heavy?", "Bavok is heavy. Cerul is not."),
        ("And\nlight?", "Cerul."),
    ]


def test_fields_that_mean_nothing_here_are_accepted(client: TestClient) -> None:
    body = {"model": "symposia", "messages": ASKED, "temperature": 0.3, "max_tokens": 5, "tools": [], "user": "x"}
    assert client.post("/v1/chat/completions", json=body).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"messages": []}, 422),
        ({"messages": ASKED, "n": 2}, 422),
        ({"messages": [*ASKED, {"role": "assistant", "content": "x"}]}, 422),
        ({"messages": ASKED, "model": "symposia/"}, 404),
    ],
)
def test_a_request_that_does_not_fit_is_refused_in_openais_words(
    client: TestClient, body: dict[str, Any], status: int
) -> None:
    response = client.post("/v1/chat/completions", json=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["message"] == f"{error['problem']} {error['fix']}"
    assert error["trace"] == response.headers["X-Trace-Id"]
