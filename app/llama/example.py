"""An agent of LlamaIndex that has the panel as its tool: ``python -m app.llama.example "When do apple trees blossom?"``.

It runs without a network: the agent's own language model is a script that calls the tool with what was asked, and repeats
what the tool said. With any function-calling model of LlamaIndex in its place, the rest stays as it is.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.llama.tool import NAME, make_tool

if TYPE_CHECKING:
    from llama_index.core.base.llms.types import ChatMessage
    from llama_index.core.llms.function_calling import FunctionCallingLLM
    from llama_index.core.tools import ToolOutput

    from app.symposium import Symposium

PROMPT = "Answer by the tool, and keep its [n] marks."


async def run_agent(
    symposium: Symposium, question: str, model: FunctionCallingLLM | None = None
) -> tuple[str, list[ToolOutput]]:
    """What an agent says to a question, and what its tool gave it.

    Parameters
    ----------
    model
        The agent's language model; a script by default.
    """
    from llama_index.core.agent.workflow import FunctionAgent, ToolCallResult

    tool = await asyncio.to_thread(make_tool, symposium)
    agent = FunctionAgent(tools=[tool], llm=model or scripted_model(), system_prompt=PROMPT)
    run: Any = agent.run(user_msg=question)
    outputs = [event.tool_output async for event in run.stream_events() if isinstance(event, ToolCallResult)]
    return str((await run).response.content), outputs


def scripted_model() -> FunctionCallingLLM:
    """A language model that asks the tool what it was asked, then says what the tool said."""
    from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
    from llama_index.core.llms.mock import MockFunctionCallingLLM

    def reply(messages: Sequence[ChatMessage], **_: Any) -> ChatMessage:  # noqa: ANN401
        last = messages[-1]
        if last.role == MessageRole.TOOL:
            return ChatMessage(role=MessageRole.ASSISTANT, content=last.content)
        call = ToolCallBlock(tool_call_id="1", tool_name=NAME, tool_kwargs={"input": last.content})
        return ChatMessage(role=MessageRole.ASSISTANT, blocks=[call])

    return MockFunctionCallingLLM(response_generator=reply, is_chat_model=True)


def main() -> None:
    """Ask the panel of the settings by way of the agent."""
    from app.symposium import Symposium

    question = " ".join(sys.argv[1:]) or "What do you know about?"
    with Symposium.open() as symposium:
        said, outputs = asyncio.run(run_agent(symposium, question))
    sys.stdout.write(f"{said}\n")
    for output in outputs:
        for node in output.raw_output.source_nodes:
            sys.stdout.write(
                f"[{node.metadata['citation']}] {node.metadata['expert']}: {node.metadata.get('title', '')}\n"
            )


if __name__ == "__main__":
    main()
