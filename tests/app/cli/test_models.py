from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.models.manifest import load_manifest
from app.models.status import FileCheck
from indexes.errors import MissingModelError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYMPOSIA_MODELS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []

    def fetch(name: str, folder: Path, on_progress: Callable[[str, int, int | None], None]) -> Path:
        if name == "absent":
            raise MissingModelError("There is no model 'absent'.", "Name another.")
        on_progress("downloading", 5_000_000, 84_000_000)
        names.append(name)
        return folder / name

    monkeypatch.setattr("app.models.fetch.fetch", fetch)
    return names


def test_the_list_has_every_model_of_the_manifest_in_the_cache_of_the_settings(run: Any, cache: Path) -> None:
    document = run("models", "list", "--json").document
    assert document["folder"] == str(cache)
    assert [row["name"] for row in document["models"]] == list(load_manifest())
    assert {row["state"] for row in document["models"]} == {"missing"}


def test_the_list_for_people(run: Any) -> None:
    out = run("models", "list").out
    assert "all-minilm-l6-v2 (default)" in out
    assert "84 MB" in out


def test_the_list_shows_what_the_settings_use(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF")
    used = run("--set", f"models.generator={path}", "models", "list", "--json").document["used"]
    assert [(row["role"], row["state"]) for row in used] == [("encoder", "missing"), ("generator", "ready")]
    assert used[0]["fix"] == "Fetch it with: symposia models fetch all-minilm-l6-v2"
    assert used[1]["place"] == str(path)


def test_the_list_names_the_server_that_writes_and_does_not_ask_it(run: Any) -> None:
    flags = ("--set", "models.server=http://127.0.0.1:9/v1", "--set", "models.server_model=llama3.2")
    used = run(*flags, "models", "list", "--json").document["used"]
    assert used[1] == {
        "role": "generator",
        "name": "llama3.2",
        "place": "http://127.0.0.1:9/v1",
        "state": "at a server",
        "fix": "",
    }
    assert "http://127.0.0.1:9/v1" in run(*flags, "models", "list").out


def test_where_a_server_writes_only_the_encoder_is_fetched(run: Any, fetched: list[str], cache: Path) -> None:
    run("--set", "models.server=http://127.0.0.1:9/v1", "models", "fetch")
    assert fetched == ["all-minilm-l6-v2"]


def test_named_models_are_fetched_once_each_with_progress_on_stderr(run: Any, fetched: list[str], cache: Path) -> None:
    ended = run("models", "fetch", "a", "b", "a")
    assert fetched == ["a", "b"]
    assert ended.out.splitlines() == [f"a: {cache / 'a'}", f"b: {cache / 'b'}"]
    assert "a: downloading 5 MB of 84 MB" in ended.err


def test_without_names_the_models_of_the_settings_are_fetched(run: Any, fetched: list[str], cache: Path) -> None:
    document = run("--set", "models.generator=smollm2-135m", "models", "fetch", "--json").document
    assert fetched == ["all-minilm-l6-v2", "smollm2-135m"]
    assert document["fetched"][1] == {"name": "smollm2-135m", "folder": str(cache / "smollm2-135m")}


def test_a_model_that_cannot_be_fetched_is_an_error(run: Any, fetched: list[str]) -> None:
    ended = run("models", "fetch", "absent", "--json")
    assert ended.code == 1
    assert ended.document["error"]["kind"] == "MissingModelError"


@pytest.mark.parametrize(("found", "code", "state"), [("00", 0, "ok"), ("11", 1, "differs"), (None, 1, "missing")])
def test_verifying_tells_which_file_differs(
    run: Any, monkeypatch: pytest.MonkeyPatch, found: str | None, code: int, state: str
) -> None:
    monkeypatch.setattr("app.models.status.verify", lambda *_: [FileCheck("weights", found == "00", "00", found)])
    ended = run("models", "verify", "a")
    assert ended.code == code
    assert ended.out.splitlines()[1].split() == ["a", "weights", state]
    assert ("symposia models fetch a" in ended.err) == (code == 1)
    document = run("models", "verify", "a", "--json").document
    assert document["ok"] == (code == 0)
    assert document["models"]["a"] == [{"file": "weights", "ok": found == "00", "expected": "00", "found": found}]


def test_verifying_without_a_name_checks_what_is_there(run: Any, cache: Path) -> None:
    assert "There are no models" in run("models", "verify").out
    (cache / "smollm2-135m").mkdir(parents=True)
    ended = run("models", "verify", "--json")
    assert ended.code == 1
    assert list(ended.document["models"]) == ["smollm2-135m"]
