"""The server over streamable HTTP on a free port of this machine."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from mcp import Client

from app.access.keys import FILE, Keys
from app.cli.address import check_free
from app.cli.mcp import http_app, serve_http
from app.settings import Settings
from app.settings.schema import Access
from indexes.errors import InputError
from tests.app.mcp.building import build
from tests.fakes import QUESTIONS

ROOT = Path(__file__).parents[3]
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
HEADERS = {"Accept": "application/json, text/event-stream"}


@contextmanager
def served(home: Path, *, required: bool) -> Iterator[str]:
    """The address of a server on fakes."""
    settings = Settings(home=home, access=Access(required=required))
    with build(home, settings=settings) as symposium, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(http_app(symposium, settings), log_config=None))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str, Keys]]:
    """The address of a server that asks for keys, the secrets of two, and the keys."""
    home = tmp_path_factory.mktemp("home")
    made = Keys(home / FILE)
    gardener, mechanic = made.create("gardener", ["orchard"]), made.create("mechanic", ["engines"])
    with served(home, required=True) as url:
        yield url, gardener, mechanic, made


def experts(url: str, secret: str, mode: str = "auto") -> Any:
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    async def run() -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        async with (
            create_mcp_http_client(headers=headers) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            listed = await client.call_tool("list_experts", {})
            answer = await client.call_tool("ask", {"question": QUESTIONS["orchard"]})
            names = [expert["name"] for expert in listed.structured_content["experts"]]
            return names, [e["expert"] for e in answer.structured_content["route"]["shares"]]

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_each_caller_sees_the_experts_of_its_key(keys: tuple[str, str, str, Keys], mode: str) -> None:
    url, gardener, mechanic, _ = keys
    assert experts(url, gardener, mode) == (["orchard"], ["orchard"])
    assert experts(url, mechanic, mode) == (["engines"], ["engines"])


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer sym_wrong"}, {"Authorization": "Basic eDp5"}])
def test_without_a_valid_key_nobody_is_let_in(keys: tuple[str, str, str, Keys], header: dict[str, str]) -> None:
    response = httpx.post(keys[0], json=HELLO, headers=HEADERS | header)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["error"]["fix"]


def test_a_key_that_is_revoked_is_worthless_at_once(keys: tuple[str, str, str, Keys]) -> None:
    url, _, _, made = keys
    secret = made.create("guest")
    header = HEADERS | {"Authorization": f"Bearer {secret}"}
    assert httpx.post(url, json=HELLO, headers=header).status_code == 200
    made.revoke("guest")
    assert httpx.post(url, json=HELLO, headers=header).status_code == 401


def test_without_keys_this_machine_is_served_and_no_page_of_another_site(tmp_path: Path) -> None:
    with served(tmp_path, required=False) as url:
        assert httpx.post(url, json=HELLO, headers=HEADERS).status_code == 200
        assert httpx.post(url, json=HELLO, headers=HEADERS | {"Host": "evil.example"}).status_code == 421
        assert httpx.post(url, json=HELLO, headers=HEADERS | {"Origin": "http://evil.example"}).status_code == 403


def test_a_port_in_use_is_named_with_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"Port {port} .*\n.*mcp --http --port {port % 65535 + 1}"):
            check_free("127.0.0.1", port, "mcp --http")


def test_ctrl_c_ends_it_as_it_was_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.symposium.Symposium.open", lambda settings: build(settings.home, settings=settings))
    monkeypatch.setattr("uvicorn.Server.run", interrupted)
    try:
        serve_http(Settings(home=tmp_path), 8002)
    except KeyboardInterrupt:  # which would end the test run
        pytest.fail("Ctrl-C was handed on")


@pytest.mark.slow
def test_the_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.app.mcp.stdio_server", str(tmp_path), "mcp", "--http", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url, status = f"http://127.0.0.1:{port}/mcp", 0
        until = time.monotonic() + 120
        while not status and process.poll() is None and time.monotonic() < until:
            try:
                status = httpx.post(url, json=HELLO, headers=HEADERS).status_code
            except httpx.TransportError:
                time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert status == 200
    assert url in err
    assert out == ""
    assert "Interrupted" not in err
    assert process.returncode == 0
