"""The server as agents start it: a process that speaks over stdin and stdout."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters

from app.access.keys import FILE, Keys
from app.cli import main
from tests.fakes import QUESTIONS

ROOT = Path(__file__).parents[3]
COMMAND = ["-m", "tests.app.mcp.stdio_server"]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def talk(home: Path, **env: str) -> tuple[list[str], Any, Any]:
    """Names of the tools, the list of experts, and an answer."""

    async def run() -> tuple[list[str], Any, Any]:
        command = StdioServerParameters(
            command=sys.executable, args=[*COMMAND, str(home), "mcp"], cwd=ROOT, env=environment(**env)
        )
        async with Client(command) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            experts = await client.call_tool("list_experts", {})
            return tools, experts, await client.call_tool("ask", {"question": QUESTIONS["orchard"]})

    return asyncio.run(run())


def test_a_client_lists_and_calls_the_tools_of_a_process_as_the_key_in_its_environment(tmp_path: Path) -> None:
    secret = Keys(tmp_path / FILE).create("reader", experts=["orchard", "engines"])
    tools, experts, answer = talk(tmp_path, SYMPOSIA_KEY=secret, SYMPOSIA_ACCESS_REQUIRED="true")
    assert tools == ["ask", "search", "list_experts", "explain"]
    assert [expert["name"] for expert in experts.structured_content["experts"]] == ["engines", "orchard"]
    assert answer.structured_content["verdict"] == "answered"
    assert answer.structured_content["answer"].startswith("Apple trees blossom in April. [")
    assert {e["expert"] for e in answer.structured_content["route"]["shares"]} == {"engines", "orchard"}
    assert '"principal": "reader"' in (tmp_path / "audit.jsonl").read_text()


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ({"SYMPOSIA_ACCESS_REQUIRED": "true"}, "SYMPOSIA_KEY holds no key"),
        ({"SYMPOSIA_KEY": "sym_wrong"}, "SYMPOSIA_KEY: The key is not known"),
    ],
)
def test_without_a_valid_key_the_server_does_not_start(
    tmp_path: Path,
    env: dict[str, str],
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert main(["--home", str(tmp_path), "mcp"]) == 1
    told = capsys.readouterr()
    assert problem in told.err
    assert "symposia keys create" in told.err
    assert told.out == ""


def test_without_the_sdk_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("app.cli.mcp.find_spec", lambda _: None)
    assert main(["--home", str(tmp_path), "mcp", "--http"]) == 1
    assert "symposia[mcp]" in capsys.readouterr().err
