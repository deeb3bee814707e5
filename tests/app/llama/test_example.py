from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from app.llama.example import main, run_agent
from app.llama.tool import describe, make_tool
from app.symposium import Symposium
from tests.fakes import QUESTIONS

APPLES = QUESTIONS["orchard"]


def test_an_agent_calls_the_tool_and_repeats_the_cited_answer(symposium: Symposium) -> None:
    said, outputs = asyncio.run(run_agent(symposium, APPLES))
    answer = symposium.ask(APPLES)
    assert said == answer.marked
    [output] = outputs
    assert output.raw_input == {"input": APPLES}
    assert output.raw_output.metadata["verdict"] == "answered"
    assert [node.node_id for node in output.raw_output.source_nodes] == [e.passage.id for e in answer.evidence]


def test_a_react_agent_can_use_it_too(symposium: Symposium) -> None:
    from llama_index.core.agent.workflow import ReActAgent
    from llama_index.core.base.llms.types import ChatMessage
    from llama_index.core.llms.mock import MockFunctionCallingLLM

    seen: list[str] = []

    def reply(messages: list[ChatMessage], **_: Any) -> ChatMessage:
        last = str(messages[-1].content)
        seen.append(last)
        if last.startswith("Observation:"):
            return ChatMessage(role="assistant", content=f"Thought: I can answer.\nAnswer: {last.split(': ', 1)[1]}")
        return ChatMessage(
            role="assistant",
            content=f'Thought: I need the tool.\nAction: symposia\nAction Input: {{"input": "{APPLES}"}}',
        )

    model = MockFunctionCallingLLM(response_generator=reply, is_chat_model=True)

    async def run() -> str:
        agent = ReActAgent(tools=[make_tool(symposium)], llm=model)
        return str((await agent.run(user_msg=APPLES)).response.content)

    assert asyncio.run(run()) == symposium.ask(APPLES).marked
    assert len(seen) == 2


def test_the_tool_says_what_the_experts_know(symposium: Symposium) -> None:
    metadata = make_tool(symposium, name="library").metadata
    assert metadata.get_name() == "library"
    assert metadata.description == describe(symposium)
    assert "orchard (All about orchard.)" in metadata.description


def test_the_example_runs_as_a_program(
    symposium: Symposium, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Symposium, "open", lambda: symposium)
    monkeypatch.setattr(sys, "argv", ["example", *APPLES.split()])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Apple trees blossom in April. [")
    assert lines[1] == "[1] orchard: Orchard"
