from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from app.cli.chat import streamlit_command
from app.settings import load_settings

Started = list[tuple[str, list[str], dict[str, str]]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """What would have replaced this process."""
    calls: Started = []
    monkeypatch.setattr("os.execve", lambda *call: calls.append(call))
    monkeypatch.setattr("os.dup2", lambda *_: None)
    return calls


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_streamlit_serves_this_machine_only_and_reports_nothing(started: Started, run: Any, port: int) -> None:
    assert run("chat", "--port", str(port)).out.startswith(f"The chat is at http://127.0.0.1:{port}.")
    [(program, command, _)] = started
    assert program == sys.executable
    assert command[1:4] == ["-m", "streamlit", "run"]
    options = dict(zip(command[5::2], command[6::2], strict=True))
    assert options == {
        "--server.address": "127.0.0.1",
        "--server.port": str(port),
        "--server.headless": "true",
        "--server.fileWatcherType": "none",
        "--browser.gatherUsageStats": "false",
    }


def test_the_page_that_is_served_exists() -> None:
    assert Path(streamlit_command(8501)[4]).is_file()


def test_the_settings_of_the_chat_are_those_of_the_command_line(
    started: Started, run: Any, port: int, tmp_path: Path
) -> None:
    (tmp_path / "my.toml").write_text("[generation]\nseed = 3\n")
    options = ("--config", "my.toml", "--home", "h", "--preset", "fast", "--set", "retrieval.depth=9")
    run(*options, "chat", "--port", str(port))
    env = started[0][2]
    ours = {name: value for name, value in env.items() if name.startswith("SYMPOSIA_")}
    loaded = load_settings(env=ours, folder=tmp_path)
    assert (loaded.settings.home, loaded.settings.preset) == (tmp_path / "h", "fast")
    assert (loaded.settings.generation.seed, loaded.settings.retrieval.depth) == (3, 9)
    assert str(Path(__file__).parents[3]) in env["PYTHONPATH"].split(os.pathsep)


def test_the_page_is_told_to_log_what_happens_where_the_command_line_asks_for_it(
    started: Started, run: Any, port: int
) -> None:
    run("--verbose", "chat", "--port", str(port))
    run("chat", "--port", str(port))
    verbose, quiet = (command for _, command, _ in started)
    assert verbose == [*quiet, "--", "--verbose"]


def test_json_names_address_and_process(started: Started, run: Any, port: int) -> None:
    assert json.loads(run("chat", "--port", str(port), "--json").out) == {
        "url": f"http://127.0.0.1:{port}",
        "pid": os.getpid(),
    }
    assert len(started) == 1


def test_a_port_in_use_is_an_error_and_nothing_is_started(started: Started, run: Any) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ended = run("chat", "--port", str(taken))
    assert ended.code == 1
    assert f"--port {taken + 1}" in ended.err
    assert started == []


def test_a_broken_settings_file_is_told_before_anything_is_started(started: Started, run: Any, tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text("hoem = 'x'\n")
    assert run("chat").code == 1
    assert started == []


def test_other_machines_are_served_only_where_strangers_are_kept_out(started: Started, run: Any, port: int) -> None:
    refused = run("chat", "--port", str(port), "--host", "0.0.0.0")
    assert refused.code == 1
    assert "access.login = true" in refused.err
    assert started == []
    run("--set", "serve.without_keys=true", "chat", "--port", str(port), "--host", "0.0.0.0")
    assert started[0][1][6] == "0.0.0.0"
