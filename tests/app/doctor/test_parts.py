from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from app.doctor import parts
from app.settings import Settings
from indexes.encoders.exported import MODEL, RECORD, TOKENIZER, export_folder
from indexes.encoders.folder import fingerprint_of
from indexes.errors import MissingModelError
from indexes.slice import Slice
from indexes.store.lock import OWNER
from indexes.store.open import SHARD
from tests.language_server import Served, language_server


class Qdrant(BaseHTTPRequestHandler):
    """Answers like a server that has one collection, to whoever has the key."""

    def do_GET(self) -> None:
        allowed = self.headers.get("api-key") == "right"
        body = {"result": {"collections": [{"name": "symposia-birds"}]}, "status": "ok", "time": 0.0}
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body if allowed else {"status": {"error": "forbidden"}}).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    served = HTTPServer(("127.0.0.1", 0), Qdrant)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()
    thread.join()


def with_store(settings: Settings, **store: Any) -> Settings:
    return settings.model_copy(update={"store": settings.store.model_validate(store)})


def test_a_missing_model_fails_with_the_command_that_fetches_it(settings: Settings) -> None:
    check = parts.model("encoder", settings)
    assert (check.name, check.status) == ("encoder", "fail")
    assert check.fix == "Fetch it with: symposia models fetch all-minilm-l6-v2"


def test_a_model_folder_of_ones_own_is_fine(settings: Settings, tmp_path: Any) -> None:
    (tmp_path / "config.json").write_text("{}")
    models = settings.models.model_copy(update={"generator": str(tmp_path)})
    check = parts.model("generator", settings.model_copy(update={"models": models}))
    assert check.status == "ok"
    assert str(tmp_path) in check.detail


def test_models_that_may_be_left_out_are_fine_where_they_are_here(settings: Settings, tmp_path: Any) -> None:
    (tmp_path / "config.json").write_text("{}")
    named = with_models(settings, reranker=str(tmp_path), judge=str(tmp_path))
    assert [(check.name, check.status) for check in parts.optional_models(named)] == [
        ("reranker", "ok"),
        ("judge", "ok"),
    ]


@pytest.mark.parametrize(
    ("runtime", "said"),
    [
        ("int8", "run by ONNX Runtime as int8 (to be exported at its first use)"),
        ("float32", "run by ONNX Runtime as float32 (exported)"),
        ("torch", "run by torch"),
    ],
)
def test_what_runs_the_encoder_is_told(settings: Settings, tmp_path: Any, runtime: str, said: str) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text('{"hidden_size": 4}')
    models = settings.models.model_copy(update={"encoder": str(folder), "runtime": runtime})
    made = export_folder(models.folder, fingerprint_of(folder, "tiny"))
    made.mkdir(parents=True)
    (made / MODEL).write_bytes(b"12")
    (made / TOKENIZER).write_bytes(b"123")
    (made / RECORD).write_text(json.dumps({"files": {MODEL: 2, TOKENIZER: 3}}))
    check = parts.model("encoder", settings.model_copy(update={"models": models}))
    assert (check.status, check.detail) == ("ok", f"{folder} in {folder}, {said}")


def test_an_encoder_folder_that_does_not_state_its_width_fails(settings: Settings, tmp_path: Any) -> None:
    (tmp_path / "config.json").write_text("{}")
    models = settings.models.model_copy(update={"encoder": str(tmp_path)})
    check = parts.model("encoder", settings.model_copy(update={"models": models}))
    assert check.status == "fail"
    assert "does not state the width" in check.detail


def test_a_gguf_file_that_was_not_unpacked_is_a_warning_with_the_command(settings: Settings, tmp_path: Any) -> None:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF")
    check = parts.writer(with_models(settings, generator=str(path)))
    assert check.status == "warn"
    assert check.fix == f"Unpack it once: symposia models fetch {path}"


def with_models(settings: Settings, **models: Any) -> Settings:
    return settings.model_copy(update={"models": settings.models.model_copy(update=models)})


@pytest.fixture
def language() -> Iterator[Served]:
    with language_server() as server:
        yield server


def test_without_a_server_the_language_model_must_be_here(settings: Settings) -> None:
    assert parts.writer(settings) == parts.model("generator", settings)


def test_a_server_with_the_model_is_fine(settings: Settings, language: Served) -> None:
    language.models = ["tiny", "other"]
    check = parts.writer(with_models(settings, server=language.url, server_model="tiny"))
    assert (check.name, check.status) == ("generator", "ok")
    assert f"tiny at {language.url}/v1, one of 2 models" in check.detail


def test_a_server_without_the_model_lists_those_that_it_has(settings: Settings, language: Served) -> None:
    check = parts.writer(with_models(settings, server=language.url, server_model="small"))
    assert check.status == "fail"
    assert "no model 'small'" in check.detail
    assert "one of: tiny" in check.fix


def test_a_server_of_one_model_needs_no_name(settings: Settings, language: Served) -> None:
    check = parts.writer(with_models(settings, server=language.url))
    assert check.status == "ok"
    assert check.detail.startswith("tiny at ")


def test_a_server_that_lists_nothing_is_a_warning(settings: Settings, language: Served) -> None:
    language.models = None
    assert parts.writer(with_models(settings, server=language.url, server_model="tiny")).status == "warn"


def test_a_models_server_that_refuses_the_key_fails_and_the_key_is_not_shown(
    settings: Settings, language: Served
) -> None:
    language.key = "right"
    check = parts.writer(with_models(settings, server=language.url, server_key=SecretStr("wrong-key")))
    assert check.status == "fail"
    assert "401" in check.detail
    assert "wrong-key" not in check.detail + check.fix


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense"])
def test_a_models_server_that_does_not_answer_fails(settings: Settings, url: str) -> None:
    check = parts.writer(with_models(settings, server=url, server_model="tiny"))
    assert check.status == "fail"
    assert url in check.detail
    assert "models.server" in check.detail + check.fix


def test_no_slices_is_a_warning_that_names_the_next_step(settings: Settings) -> None:
    [check] = parts.slices(settings)
    assert check.status == "warn"
    assert "symposia demo" in check.fix


def test_a_sound_slice_is_opened_counted_and_closed_again(settings: Settings, birds: Slice) -> None:
    birds.close()
    for _ in range(2):
        [check] = parts.slices(settings)
        assert (check.name, check.status) == ("slice birds", "ok")
        assert check.detail == "1 passages, encoder flat"


def test_a_slice_in_use_is_a_warning_that_names_the_holder(settings: Settings, birds: Slice) -> None:
    [check] = parts.slices(settings)
    holder = json.loads((birds.folder / SHARD / OWNER).read_text())
    assert check.status == "warn"
    assert f"process {holder['pid']} " in check.detail
    birds.close()


def test_a_slice_of_another_encoder_fails_even_while_it_is_in_use(
    settings: Settings, birds: Slice, panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(panel, encoder=replace(panel.encoder, revision="r2"))
    monkeypatch.setattr("app.wiring.make_panel", lambda _: other)
    [check] = parts.slices(settings)
    assert check.status == "fail"
    assert "was built with encoder flat" in check.detail
    assert "symposia reencode" in check.fix
    birds.close()


def test_a_damaged_manifest_fails(settings: Settings, birds: Slice) -> None:
    birds.close()
    (birds.folder / "slice.json").write_text("{")
    [check] = parts.slices(settings)
    assert check.status == "fail"
    assert "damaged" in check.detail


def test_an_empty_slice_fails(settings: Settings, birds: Slice) -> None:
    birds.store.delete([i for ids, _ in birds.store.scan() for i in ids])
    birds.store.flush()
    birds.close()
    [check] = parts.slices(settings)
    assert (check.status, check.detail) == ("fail", "it is empty")


def test_slices_cannot_be_checked_without_the_encoder(
    settings: Settings, birds: Slice, monkeypatch: pytest.MonkeyPatch
) -> None:
    birds.close()

    def refuse(_: Settings) -> None:
        raise MissingModelError("The encoder is not there.", "Fetch it.")

    monkeypatch.setattr("app.wiring.make_panel", refuse)
    [check] = parts.slices(settings)
    assert (check.status, check.fix) == ("fail", "Fetch it.")


@pytest.mark.filterwarnings("ignore:Api key is used")
def test_a_server_that_answers(settings: Settings, address: str) -> None:
    check = parts.server(with_store(settings, url=address, api_key="right"))
    assert (check.status, check.detail) == ("ok", f"{address}, 1 collections")


@pytest.mark.filterwarnings("ignore:Api key is used")
def test_a_server_that_refuses_the_key_fails_and_the_key_is_not_shown(settings: Settings, address: str) -> None:
    check = parts.server(with_store(settings, url=address, api_key="wrong-key"))
    assert check.status == "fail"
    assert "401" in check.detail
    assert "wrong-key" not in check.detail + check.fix


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "nonsense"])
def test_a_server_that_does_not_answer_fails(settings: Settings, url: str) -> None:
    check = parts.server(with_store(settings, url=url))
    assert check.status == "fail"
    assert url in check.detail
    assert "[store] url" in check.fix
