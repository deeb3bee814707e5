from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.models.used import used
from app.models.writing import language_model, local_model
from app.settings.schema import Models
from generators.models.language_model import LocalModel
from generators.remote.model import RemoteModel
from indexes.errors import MissingModelError, SettingsError


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.gguf"
    path.write_bytes(b"GGUF")
    return path


def test_without_a_server_the_model_is_held_here(own: Path, tmp_path: Path) -> None:
    model = language_model(Models(generator=str(own), cache=str(tmp_path), dtype="float32", threads=2))
    assert isinstance(model, LocalModel)
    assert (model.path, model.dtype, model.threads) == (own, "float32", 2)


def test_with_a_server_it_is_a_remote_one_and_nothing_is_asked() -> None:
    key = SecretStr("k")
    model = language_model(Models(server="http://127.0.0.1:9", server_model="m", server_key=key, server_window=9))
    assert isinstance(model, RemoteModel)
    assert (model.name, model.window, model.client.url) == ("m", 9, "http://127.0.0.1:9/v1")
    assert model.client.timeout == 120


def test_what_needs_logits_gets_the_model_held_here_whatever_server_is_set(own: Path) -> None:
    assert local_model(Models(generator=str(own), server="http://127.0.0.1:9")).path == own


def test_a_missing_model_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(MissingModelError) as caught:
        language_model(Models(cache=str(tmp_path)))
    assert caught.value.fix == "Fetch it with: symposia models fetch qwen2.5-coder-0.5b"


def test_a_wrong_address_is_refused_before_the_first_question() -> None:
    with pytest.raises(SettingsError, match=r"models\.server"):
        language_model(Models(server="localhost"))


def test_a_reranker_is_listed_where_one_is_set(own: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    rows = used(Models(generator=str(own), reranker=str(tmp_path), cache=str(tmp_path / "cache")))
    assert [(row.role, row.state) for row in rows] == [
        ("encoder", "missing"),
        ("generator", "ready"),
        ("reranker", "ready"),
    ]
