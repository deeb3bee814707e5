from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.access.keys import Keys
from app.cli.address import in_url

ROOT = Path(__file__).parents[3]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The configurations that uvicorn would have been run with."""
    configurations: list[Any] = []
    monkeypatch.setattr("uvicorn.Server.run", lambda self: configurations.append(self.config))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return configurations


def test_without_keys_it_serves_this_machine(run: Any, served: list[Any], port: int) -> None:
    ended = run("serve", "--port", port, "--json")
    assert ended.code == 0
    assert ended.document == {"url": f"http://127.0.0.1:{port}", "pid": os.getpid(), "keys": False}
    [config] = served
    assert (config.host, config.port, config.timeout_graceful_shutdown) == ("127.0.0.1", port, 10)
    assert not config.server_header
    assert not config.proxy_headers
    assert config.app.state.service.keys is None


def test_ended_by_ctrl_c_all_is_fine_and_there_is_one_document(
    run: Any, served: list[Any], port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("uvicorn.Server.run", interrupted)
    ended = run("serve", "--port", port, "--json")
    assert (ended.code, ended.document["url"]) == (0, f"http://127.0.0.1:{port}")
    assert "Interrupted" not in ended.err


def test_it_serves_other_machines_only_with_keys_or_where_it_was_told_to(
    run: Any, served: list[Any], tmp_path: Path, port: int
) -> None:
    everywhere = ("serve", "--host", "0.0.0.0", "--port", port)
    refused = run(*everywhere)
    assert (refused.code, served) == (1, [])
    assert "no keys are asked for" in refused.err
    empty = run("--home", tmp_path, "--set", "access.required=true", *everywhere)
    assert (empty.code, served) == (1, [])
    assert "symposia keys create" in empty.err
    Keys(tmp_path / "keys.json").create("anna")
    assert run("--home", tmp_path, "--set", "access.required=true", *everywhere).code == 0
    assert run("--set", "serve.without_keys=true", *everywhere).code == 0
    assert [config.app.state.service.keys is None for config in served] == [False, True]


def test_settings_of_the_server_reach_it(run: Any, served: list[Any], port: int) -> None:
    options = ("serve.queue=3", "access.per_minute=7", "access.audit=false", f"serve.port={port}", "serve.drain=1.2")
    run(*(part for option in options for part in ("--set", option)), "serve")
    [config] = served
    service = config.app.state.service
    assert (service.serve.queue, service.limits.rate, service.audit) == (3, 7 / 60, None)
    assert (config.port, config.timeout_graceful_shutdown) == (port, 2)


def test_a_port_in_use_is_an_error(run: Any, served: list[Any]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        ended = run("serve", "--port", taken)
    assert (ended.code, served) == (1, [])
    assert f"--port {taken + 1}" in ended.err


def test_without_its_libraries_the_extra_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.serve.find_spec", lambda name: None if name == "fastapi" else object())
    ended = run("serve")
    assert ended.code == 1
    assert "fastapi" in ended.err
    assert "pip install 'symposia[serve]'" in ended.err


@pytest.mark.parametrize(("host", "written"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_a_host_in_a_url(host: str, written: str) -> None:
    assert in_url(host) == written


@pytest.fixture
def model_less(tmp_path: Path, model_folder: Any) -> tuple[str, ...]:
    """Options of a home whose encoder is there, and whose language model is not."""
    encoder = model_folder("all-minilm-l6-v2")
    settings = (f"models.cache={encoder.parent}", f"models.generator={tmp_path / 'none'}")
    return ("--home", str(tmp_path), *(part for setting in settings for part in ("--set", setting)))


def test_what_keeps_the_system_from_opening_is_the_only_document(run: Any, served: list[Any], port: int) -> None:
    ended = run("--set", "models.encoder=./nowhere", "serve", "--port", port, "--json")
    assert (ended.code, served) == (1, [])
    assert ended.document["error"]["kind"] == "MissingModelError"


@pytest.mark.slow
@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT])
def test_the_program_serves_until_it_is_told_to_end(
    tmp_path: Path, port: int, model_less: tuple[str, ...], ends: signal.Signals
) -> None:
    command = [sys.executable, "-m", "app.cli", *model_less, "serve", "--port", str(port), "--json"]
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            assert _get(f"{url}/healthz", process).json() == {"status": "ok"}
            until = time.monotonic() + 120
            while (ready := _get(f"{url}/readyz", process)).json()["models"] == "loading":
                assert time.monotonic() < until
                time.sleep(0.1)
            assert (ready.status_code, ready.json()["models"]) == (503, "missing")
            refused = httpx.post(f"{url}/v1/ask", json={"question": "Hello!"}, timeout=60)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
            process.send_signal(ends)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert json.loads(out) == {"url": url, "pid": process.pid, "keys": False}
    assert "Traceback" not in err


def _get(url: str, process: subprocess.Popen[str]) -> httpx.Response:
    until = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
