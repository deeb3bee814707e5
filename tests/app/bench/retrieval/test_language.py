from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.bench.retrieval import language
from app.bench.retrieval.language import TOKENS, chooser
from app.settings import load_settings
from indexes.errors import MissingModelError
from tests.app.bench.retrieval.conftest import settings_at
from tests.generators.scripted import ScriptedModel


def scripted(monkeypatch: pytest.MonkeyPatch, script: str) -> ScriptedModel:
    model = ScriptedModel(script)
    made: list[Any] = []

    def local_model(folder: Path, **options: Any) -> ScriptedModel:
        made.append((folder, options))
        return model

    monkeypatch.setattr(language, "resolve", lambda name, role, _cache: Path(role, name))
    monkeypatch.setattr(language, "LocalModel", local_model)
    settings = settings_at(Path("home"))
    model.complete = chooser(settings)  # type: ignore[attr-defined]
    [(folder, options)] = made
    assert folder == Path("generator", settings.models.generator)
    assert options == {"dtype": settings.models.dtype, "threads": settings.models.threads or None}
    return model


def test_a_prompt_is_a_chat_message_and_the_answer_ends_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    model = scripted(monkeypatch, "planets\nbecause of Saturn")
    assert [model.complete("Who?"), model.complete("And who else?")] == ["planets"] * 2  # type: ignore[attr-defined]
    assert model.prompts == ["Who?", "And who else?"]


def test_a_model_that_does_not_stop_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    model = scripted(monkeypatch, "x" * 100)
    assert model.complete("Who?") == "x" * TOKENS  # type: ignore[attr-defined]


def test_a_model_that_was_not_fetched_is_an_error(tmp_path: Path) -> None:
    flags = {"home": str(tmp_path), "models.cache": str(tmp_path)}
    with pytest.raises(MissingModelError, match="is not there yet"):
        chooser(load_settings(flags=flags, env={}).settings)
