"""The container files, as far as they can be checked without building an image."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from app.cli.main import program
from app.settings import load_settings

ROOT = Path(__file__).parents[1]
SECRET = re.compile(r"password|secret|token|api_?key|server_key", re.IGNORECASE)
PINNED = re.compile(r":v?\d+\.\d+\.\d+[\w.-]*$")


@dataclass
class Stage:
    """One stage of the Containerfile: its image, its name, and its instructions."""

    image: str
    name: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [rest for word, rest in self.lines if word == instruction]

    @property
    def env(self) -> dict[str, str]:
        return dict(re.findall(r'(\w+)=("[^"]*"|\S+)', " ".join(self.all("ENV"))))


def stages() -> tuple[dict[str, str], list[Stage]]:
    """Arguments before the first stage, and the stages."""
    text = (ROOT / "Containerfile").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    arguments: dict[str, str] = {}
    found: list[Stage] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            found.append(Stage(image, name))
        elif not found:
            name, _, value = rest.partition("=")
            arguments[name] = value
        else:
            found[-1].lines.append((word, rest.strip()))
    return arguments, found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


@pytest.fixture
def web() -> Iterator[tuple[int, dict[str, int]]]:
    """The port of a server, and the status of its replies by path; 404 elsewhere."""
    statuses: dict[str, int] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.get(self.path, 404))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1], statuses
    server.shutdown()
    thread.join()
    server.server_close()


def check_command(words: list[str]) -> None:
    """Raise where the command line does not know a command or an option."""
    command: Any = get_command(program)
    assert words[0] in command.commands
    chosen = command.commands[words[0]]
    known = {option for parameter in chosen.params for option in parameter.opts}
    assert {word for word in words[1:] if word.startswith("-")} <= known


def test_images_are_pinned_to_a_version_and_the_last_one_is_built_in_stages(compose: dict[str, Any]) -> None:
    arguments, found = stages()
    names = [stage.name for stage in found]
    for stage in found:
        image = stage.image
        for name, value in arguments.items():
            image = image.replace(f"${{{name}}}", value)
        assert image in names or PINNED.search(image), image
    assert len(found) >= 3
    assert PINNED.search(compose["services"]["qdrant"]["image"])


def test_it_does_not_run_as_root_and_says_how_it_is() -> None:
    last = stages()[1][-1]
    [user] = last.all("USER")
    assert all(int(part) >= 1000 for part in user.split(":"))
    order = [word for word, _ in last.lines]
    assert "RUN" not in order[order.index("USER") :]
    [health] = last.all("HEALTHCHECK")
    assert "CMD [" in health
    assert "SYMPOSIA" not in health


def test_what_is_copied_exists_and_is_not_ignored_while_all_else_is() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source
        for stage in stages()[1]
        for rest in stage.all("COPY")
        if "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)
    for kept_out in (".git", ".venv", ".symposia", "runs", "tests", ".env", "symposia.toml"):
        assert not any(fnmatch(kept_out, rule) for rule in allowed)


def test_the_extras_that_are_installed_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    runs = [rest for stage in stages()[1] for rest in stage.all("RUN") if "pip install" in rest]
    [wanted] = [re.findall(r"\[([\w,]+)\]", run)[0].split(",") for run in runs]
    assert set(wanted) <= set(extras)


def test_no_secret_stands_in_the_files(compose: dict[str, Any]) -> None:
    for stage in stages()[1]:
        for rest in stage.all("ENV") + stage.all("ARG"):
            assert not SECRET.search(rest)
    for service in compose["services"].values():
        assert not [name for name in service.get("environment", {}) if SECRET.search(name)]


def test_settings_and_commands_are_ones_that_exist(compose: dict[str, Any], tmp_path: Path) -> None:
    last = stages()[1][-1]
    ours = {name: value for name, value in last.env.items() if name.startswith("SYMPOSIA_")}
    assert load_settings(env=ours, folder=tmp_path).settings.home == Path("/data")
    assert json.loads(last.all("ENTRYPOINT")[0]) == ["symposia"]
    check_command(json.loads(last.all("CMD")[0]))
    for name in ("server", "chat"):
        service = compose["services"][name]
        check_command(service["command"])
        env = {k: v for k, v in service["environment"].items() if k.startswith("SYMPOSIA_")}
        settings = load_settings(env=ours | env, folder=tmp_path).settings
        assert settings.store.url == "http://qdrant:6333"


def test_ports_are_published_on_this_machine_only(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert "ports" not in services["qdrant"]
    for name in ("server", "chat"):
        assert services[name]["ports"]
        assert all(str(port).startswith("127.0.0.1:") for port in services[name]["ports"])


def test_services_wait_for_the_store_have_no_rights_and_declared_volumes(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert "privileged" not in service
        assert {volume.split(":")[0] for volume in service["volumes"]} <= set(compose["volumes"])
        if name != "qdrant":
            assert service["read_only"] is True
            assert service["depends_on"]["qdrant"]["condition"] == "service_healthy"
    assert services["qdrant"]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_asks_the_address_it_is_given(
    web: tuple[int, dict[str, int]], status: int, healthy: bool, compose: dict[str, Any]
) -> None:
    port, statuses = web
    last = stages()[1][-1]
    for address in (last.env["HEALTH"], compose["services"]["chat"]["environment"]["HEALTH"]):
        path = "/" + address.split("/", 3)[3]
        statuses[path] = status
        command = json.loads(last.all("HEALTHCHECK")[0].partition("CMD ")[2])
        command[0] = sys.executable
        env = {**os.environ, "HEALTH": f"http://127.0.0.1:{port}{path}"}
        done = subprocess.run(command, env=env, capture_output=True, timeout=60, check=False)
        assert (done.returncode == 0) == healthy


def test_the_servers_health_needs_no_key() -> None:
    from app.server.access import OPEN

    assert "/" + stages()[1][-1].env["HEALTH"].split("/", 3)[3] in OPEN


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_stores_health_check_reads_its_status(
    web: tuple[int, dict[str, int]], status: int, healthy: bool, compose: dict[str, Any]
) -> None:
    port, statuses = web
    statuses["/readyz"] = status
    test = compose["services"]["qdrant"]["healthcheck"]["test"][1:]
    command = [word.replace("6333", str(port)).replace("$$", "$") for word in test]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    except FileNotFoundError:
        pytest.skip("there is no bash here")
    assert (done.returncode == 0) == healthy
