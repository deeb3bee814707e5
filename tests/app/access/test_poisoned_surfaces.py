"""Over HTTP and MCP, too, a document is data: it changes no answer, tells of no other slice, and nothing of it comes alive."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup
from fastapi.testclient import TestClient
from markdown_it import MarkdownIt
from mcp import Client

from app.access.keys import Keys
from app.access.principal import Principal
from app.conversations.store import Conversations
from app.mcp.server import make_server
from app.mcp.tools import Tools
from app.server.app import make_app
from generators.answer import Answer
from generators.inert import inert
from indexes.invisible import shown, words_of
from tests.app.access.poison import POISONS, Poison, Poisoned
from tests.app.access.systems import plain

SEES = frozenset({"public", "orchard"})
ANNA = Principal("anna", SEES)
TRICKS = pytest.mark.parametrize("poison", POISONS, ids=lambda poison: poison.trick)
NAMES = ("stage", "route", "source", "token", "citation", "done")
DRAWN = {"p", "strong", "em", "code", "pre", "ol", "ul", "li", "blockquote", "h1", "h2", "h3", "hr", "br", "s"}
DRAWN |= {"table", "thead", "tbody", "tr", "th", "td"}
ANSWER = ("question", "text", "marked", "verdict", "claims", "evidence", "route", "conflict", "memory", "signals")


class Surfaces:
    """A server over the poisoned system, with the key of somebody who does not see the secret slice."""

    def __init__(self, poisoned: Poisoned, client: TestClient, key: dict[str, str]) -> None:
        self.poisoned, self.client, self.key = poisoned, client, key

    def post(self, path: str, poison: Poison, **more: Any) -> str:
        """The body of the response to a question about a document."""
        question = self.poisoned.prepare(poison)
        asked = {"messages": [{"role": "user", "content": question}]} if "chat" in path else {"question": question}
        response = self.client.post(path, json={**asked, "experts": ["public"], **more}, headers=self.key)
        assert response.status_code == 200, response.text
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        return response.text

    def answer(self, poison: Poison) -> Answer:
        """What the Python API answers."""
        return self.poisoned.ask(poison, ANNA).answer


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surfaces]:
    home = tmp_path_factory.mktemp("poisoned")
    poisoned, keys = Poisoned(home), Keys(home / "keys.json")
    key = {"Authorization": f"Bearer {keys.create('anna', SEES)}"}
    app = make_app(poisoned.whole, Conversations(home / "conversations.db"), keys)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield Surfaces(poisoned, client, key)
    poisoned.whole.close()


def same(told: dict[str, Any], answer: Answer) -> bool:
    """Whether an answer is what the Python API gives: verdict, sentences, citations and all."""
    expected = json.loads(json.dumps(plain(answer.to_dict())).encode(errors="replace"))
    return all(plain(told)[name] == expected[name] for name in ANSWER)


def clean(text: str) -> None:
    """No other slice is told of, and nothing stands there that is not seen."""
    assert "HERON" not in text
    assert '"expert":"payroll"' not in text
    assert shown(text) == text
    assert not re.search("[\u2028\u2029\x85\u200b\ufeff\U000e0100-\U000e01ef]", text)


@TRICKS
def test_json_holds_the_answer_and_nothing_that_is_not_seen(surfaces: Surfaces, poison: Poison) -> None:
    text = surfaces.post("/v1/ask", poison)
    clean(text)
    assert same(json.loads(text)["answer"], surfaces.answer(poison))


@TRICKS
def test_events_are_ours_alone_whatever_their_text_says(surfaces: Surfaces, poison: Poison) -> None:
    text = surfaces.post("/v1/ask", poison, stream=True)
    clean(text)
    events = [event.split("\n") for event in text.removesuffix("\n\n").split("\n\n")]
    assert text.splitlines() == [line for event in events for line in (*event, "")]
    found = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]
    assert {name for name, _ in found} <= set(NAMES)
    answer = surfaces.answer(poison)
    assert sum(name == "source" for name, _ in found) == len(answer.evidence)
    assert [plain(data) for name, data in found if name == "citation"] == plain(answer.to_dict()["claims"])
    assert found[-1][0] == "done"
    assert same(found[-1][1]["answer"], answer)


@TRICKS
@pytest.mark.parametrize("stream", [False, True])
def test_a_message_comes_alive_in_no_renderer(surfaces: Surfaces, poison: Poison, stream: bool) -> None:
    text = surfaces.post("/v1/chat/completions", poison, stream=stream)
    clean(text)
    content, extension = streamed(text) if stream else whole(text)
    assert same(extension["answer"], surfaces.answer(poison))
    for commonmark in ("commonmark", "gfm-like"):
        drawn = BeautifulSoup(MarkdownIt(commonmark, {"html": True, "linkify": False}).render(content), "html.parser")
        assert {element.name for element in drawn.find_all(True)} <= DRAWN, content
    answer = surfaces.answer(poison)
    assert extension["verdict"] == answer.verdict.value
    assert [cited["number"] for cited in extension["citations"]] == [item.number for item in answer.cited]
    for cited in extension["citations"]:
        for said in (*cited["quotes"], cited["title"], cited["source"]):
            assert words_of(said) == said == inert(said)


def whole(text: str) -> tuple[str, dict[str, Any]]:
    """Content and extension of a completion."""
    completion = json.loads(text)
    return completion["choices"][0]["message"]["content"], completion["symposia"]


def streamed(text: str) -> tuple[str, dict[str, Any]]:
    """The same of a stream."""
    lines = [line.removeprefix("data: ") for line in text.split("\n") if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    content = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    return content, chunks[-1]["symposia"]


@TRICKS
def test_an_export_over_http_is_that_of_the_python_api(surfaces: Surfaces, poison: Poison) -> None:
    kept = json.loads(surfaces.post("/v1/ask", poison, remember=True))
    exported = surfaces.client.get(f"/v1/conversations/{kept['conversation']}/markdown", headers=surfaces.key)
    assert exported.headers["Content-Type"] == "text/markdown; charset=utf-8"
    drawn = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(exported.text)
    found = {element.name for element in BeautifulSoup(drawn, "html.parser").find_all(True)}
    assert not found & {"a", "img", "script", "iframe", "form", "span", "div", "b"}
    clean(exported.text)


@TRICKS
def test_an_agent_is_given_the_answer_and_quotations(surfaces: Surfaces, poison: Poison) -> None:
    question = surfaces.poisoned.prepare(poison)

    async def run() -> list[Any]:
        tools = Tools(surfaces.poisoned.whole, lambda: ANNA)
        async with Client(make_server(tools)) as client:
            asked = await client.call_tool("ask", {"question": question, "experts": ["public"]})
            return [asked, await client.call_tool("search", {"question": question, "experts": ["public"]})]

    asked, found = asyncio.run(run())
    answer = surfaces.answer(poison)
    data = asked.structured_content
    assert data["verdict"] == answer.verdict.value
    assert [claim["status"] for claim in data["claims"]] == [claim.status for claim in answer.claims]
    assert [[c.number for c in claim.citations] for claim in answer.claims] == [c["citations"] for c in data["claims"]]
    for result in (asked, found):
        told = "\n".join(block.text for block in result.content)
        every = json.dumps(result.structured_content, ensure_ascii=False)
        assert "HERON" not in told + every
        assert words_of(told) == told
        assert words_of(every) == every
    told = "\n".join(block.text for block in found.content)
    headings = re.findall(r"^\[(\d+)\] ", told, re.MULTILINE)
    assert headings == [str(source["number"]) for source in found.structured_content["passages"]]
