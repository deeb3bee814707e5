from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.models.manifest import default_model
from app.settings import Settings, load_settings
from app.settings.layers import variable
from app.settings.schema import fields, flatten, sections
from indexes.errors import SettingsError


def test_without_anything_every_value_is_the_default(tmp_path: Path) -> None:
    loaded = load_settings(env={}, folder=tmp_path)
    assert set(loaded.origins.values()) == {"default"}
    assert set(loaded.origins) == set(fields())
    assert loaded.file is None
    assert loaded.settings.retrieval.passages == 5
    assert loaded.settings.home == tmp_path / ".symposia"


@pytest.mark.parametrize(
    ("layers", "value", "origin"),
    [
        ((), 5, "default"),
        (("preset",), 3, "preset fast"),
        (("preset", "file"), 11, "symposia.toml"),
        (("preset", "file", "environment"), 12, "SYMPOSIA_RETRIEVAL_PASSAGES"),
        (("preset", "file", "environment", "flag"), 13, "flag"),
        (("file", "flag"), 13, "flag"),
    ],
)
def test_flag_beats_environment_beats_file_beats_preset_beats_default(
    tmp_path: Path, layers: tuple[str, ...], value: int, origin: str
) -> None:
    if "file" in layers:
        (tmp_path / "symposia.toml").write_text("[retrieval]\npassages = 11\n")
    env = {"SYMPOSIA_RETRIEVAL_PASSAGES": "12"} if "environment" in layers else {}
    flags: dict[str, Any] = {"preset": "fast"} if "preset" in layers else {}
    if "flag" in layers:
        flags["retrieval.passages"] = 13
    loaded = load_settings(flags=flags, env=env, folder=tmp_path)
    assert loaded.settings.retrieval.passages == value
    expected = str(tmp_path / origin) if origin.endswith(".toml") else origin
    assert loaded.origins["retrieval.passages"] == expected


@pytest.mark.parametrize("where", ["file", "environment", "flag"])
def test_a_preset_may_be_named_in_any_layer(tmp_path: Path, where: str) -> None:
    if where == "file":
        (tmp_path / "symposia.toml").write_text('preset = "thorough"\n')
    env = {"SYMPOSIA_PRESET": "thorough"} if where == "environment" else {}
    flags = {"preset": "thorough"} if where == "flag" else {}
    loaded = load_settings(flags=flags, env=env, folder=tmp_path)
    assert (loaded.settings.retrieval.depth, loaded.settings.retrieval.mass) == (100, 0.95)
    assert loaded.origins["retrieval.depth"] == "preset thorough"


def test_the_presets_hold_what_they_promise(tmp_path: Path) -> None:
    by_name = {
        name: flatten(load_settings(flags={"preset": name}, env={}, folder=tmp_path).settings)
        for name in ("fast", "balanced", "thorough")
    }
    default = by_name["balanced"]
    assert default == {**flatten(Settings()), "home": tmp_path / ".symposia"}
    differs = {
        name: {key: value for key, value in values.items() if value != default[key] and key != "preset"}
        for name, values in by_name.items()
    }
    assert differs == {
        "fast": {"retrieval.passages": 3, "generation.policy": "greedy", "generation.max_tokens": 80},
        "balanced": {},
        "thorough": {
            "retrieval.passages": 8,
            "retrieval.depth": 100,
            "retrieval.mass": 0.95,
            "generation.max_tokens": 200,
        },
    }


def test_every_setting_can_be_given_by_its_environment_variable(tmp_path: Path) -> None:
    given = {
        "home": "h",
        "preset": "fast",
        "store.url": "http://q:6333",
        "store.api_key": "k",
        "store.read_consistency": "majority",
        "store.sharding": "expert",
        "store.hnsw_m": "8",
        "store.hnsw_ef_construct": "50",
        "store.hnsw_ef": "64",
        "store.quantization": "int8",
        "store.payload": "cold",
        "models.dtype": "float32",
        "models.runtime": "torch",
        "models.reranker": "r",
        "models.server": "http://m:11434/v1",
        "models.server_key": "sk",
        "retrieval.merging": "rrf",
        "generation.unsupported": "remove",
        "generation.conflicts": "false",
        "retrieval.draft": "0.1",
        "serve.host": "0.0.0.0",
        "serve.without_keys": "true",
        "serve.hosts": "docs.example",
        "telemetry.logs": "json",
    }
    given |= {"models.encoder": "e", "models.generator": "g", "models.cache": "c", "generation.policy": "cad"}
    env = {variable(key): given.get(key, "1") for key in fields()} | {"SYMPOSIA_SPLIT_OVERLAP": "0"}
    loaded = load_settings(env=env, folder=tmp_path)
    assert loaded.origins == {key: variable(key) for key in fields()}
    assert loaded.settings.store.api_key.get_secret_value() == "k"
    assert loaded.settings.models.server_key.get_secret_value() == "sk"
    assert loaded.settings.retrieval.mass == 1.0


def test_zero_is_a_value(tmp_path: Path) -> None:
    flags = {"retrieval.floor": 0, "verdict.relevance": "0", "split.overlap": 0}
    settings = load_settings(flags=flags, env={}, folder=tmp_path).settings
    assert (settings.retrieval.floor, settings.verdict.relevance, settings.split.overlap) == (0.0, 0.0, 0)


def test_none_counts_as_not_given(tmp_path: Path) -> None:
    assert load_settings(flags={"home": None}, env={}, folder=tmp_path).origins["home"] == "default"


def test_the_file_is_found_by_argument_then_variable_then_folder(tmp_path: Path) -> None:
    for number, name in enumerate(("symposia.toml", "named.toml", "argued.toml"), start=1):
        (tmp_path / name).write_text(f"[generation]\nseed = {number}\n")
    env = {"SYMPOSIA_CONFIG": "named.toml"}
    assert load_settings(env={}, folder=tmp_path).settings.generation.seed == 1
    assert load_settings(env=env, folder=tmp_path).settings.generation.seed == 2
    argued = load_settings("argued.toml", env=env, folder=tmp_path)
    assert argued.settings.generation.seed == 3
    assert argued.file == tmp_path / "argued.toml"


def test_an_empty_variable_names_no_file(tmp_path: Path) -> None:
    assert load_settings(env={"SYMPOSIA_CONFIG": ""}, folder=tmp_path).file is None


def test_paths_of_the_file_count_from_its_folder_and_others_from_the_current_one(tmp_path: Path) -> None:
    place = tmp_path / "etc"
    place.mkdir()
    config = place / "s.toml"
    config.write_text('home = "slices"\n[models]\nencoder = "./mine"\ncache = "../cache"\n')
    loaded = load_settings(config, env={}, folder=tmp_path)
    assert loaded.settings.home == place / "slices"
    assert loaded.settings.models.encoder == str(place / "mine")
    assert loaded.settings.models.folder == tmp_path / "cache"
    assert load_settings(config, {"home": "h"}, env={}, folder=tmp_path).settings.home == tmp_path / "h"
    assert load_settings(config, env={"SYMPOSIA_HOME": "h"}, folder=tmp_path).settings.home == tmp_path / "h"


@pytest.mark.parametrize("key", ["encoder", "generator", "reranker", "entailment", "judge"])
def test_the_folder_of_any_model_counts_from_the_file_that_names_it(tmp_path: Path, key: str) -> None:
    config = tmp_path / "etc" / "s.toml"
    config.parent.mkdir()
    config.write_text(f'[models]\n{key} = "../models/own"\n')
    models = load_settings(config, env={}, folder=tmp_path / "elsewhere").settings.models
    assert getattr(models, key) == str(tmp_path / "models" / "own")


def test_the_default_home_lies_beside_the_file(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "s.toml"
    config.parent.mkdir()
    config.write_text("")
    assert load_settings(config, env={}, folder=tmp_path).settings.home == tmp_path / "etc" / ".symposia"


def test_a_tilde_is_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert load_settings(flags={"home": "~/s"}, env={}, folder=tmp_path).settings.home == tmp_path / "me" / "s"


def test_a_model_name_is_no_path(tmp_path: Path) -> None:
    flags = {"models.encoder": "org/name", "models.generator": "qwen2.5-coder-1.5b"}
    models = load_settings(flags=flags, env={}, folder=tmp_path).settings.models
    assert (models.encoder, models.generator) == ("org/name", "qwen2.5-coder-1.5b")


def test_a_gguf_file_is_a_path_that_counts_from_the_file_that_names_it(tmp_path: Path) -> None:
    config = tmp_path / "etc" / "s.toml"
    config.parent.mkdir()
    config.write_text('[models]\ngenerator = "models/tiny-Q4_K_M.gguf"\n')
    loaded = load_settings(config, env={}, folder=tmp_path)
    assert loaded.settings.models.generator == str(tmp_path / "etc" / "models" / "tiny-Q4_K_M.gguf")
    flags = {"models.generator": "models/tiny.GGUF"}
    assert load_settings(flags=flags, env={}, folder=tmp_path).settings.models.generator == str(
        tmp_path / "models" / "tiny.GGUF"
    )


def test_a_server_writes_where_one_is_set(tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text('[models]\nserver = "http://m:1/v1"\nserver_model = "llama3.2"\n')
    models = load_settings(env={}, folder=tmp_path).settings.models
    assert (models.held, models.writer) == (("all-minilm-l6-v2",), "llama3.2 at http://m:1/v1")
    assert (models.server_timeout, models.server_window) == (120.0, 4096)
    default = load_settings(env={}, folder=tmp_path / "none").settings.models
    assert default.held == (default.encoder, default.generator)
    assert default.writer == default.generator


@pytest.mark.parametrize(
    ("key", "value"),
    [("server_timeout", "0"), ("server_timeout", "1e9"), ("server_window", "0"), ("server_window", "x")],
)
def test_a_servers_numbers_have_a_range(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=key):
        load_settings(flags={f"models.{key}": value}, env={}, folder=tmp_path)


def test_other_variables_of_the_environment_are_left_alone(tmp_path: Path) -> None:
    env = {"SYMPOSIA_DATA": "somewhere", "SYMPOSIUM": "x", "PATH": "/bin"}
    assert set(load_settings(env=env, folder=tmp_path).origins.values()) == {"default"}


def test_the_environment_of_the_process_is_read_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPOSIA_GENERATION_SEED", "7")
    monkeypatch.chdir(tmp_path)
    assert load_settings().settings.generation.seed == 7


def test_settings_are_frozen_and_take_no_further_keys(tmp_path: Path) -> None:
    settings = load_settings(env={}, folder=tmp_path).settings
    with pytest.raises(ValidationError):
        settings.retrieval.passages = 3  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Settings.model_validate({"retrieval": {"pasages": 3}})


def test_the_default_models_are_those_of_the_manifest() -> None:
    models = Settings().models
    assert (models.encoder, models.generator) == (default_model("encoder"), default_model("generator"))


def test_no_section_is_named_like_a_setting_at_the_top() -> None:
    assert not set(sections()) & set(fields())


def test_an_overlap_that_is_not_below_the_size_is_refused_with_both_origins(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(flags={"split.size": 10}, env={"SYMPOSIA_SPLIT_OVERLAP": "10"}, folder=tmp_path)
    assert "SYMPOSIA_SPLIT_OVERLAP" in caught.value.problem
    assert "flag" in caught.value.problem


@given(st.integers(min_value=1, max_value=10**6), st.floats(min_value=0, max_value=1))
def test_text_gives_the_same_value_as_its_type(count: int, share: float) -> None:
    typed = load_settings(flags={"retrieval.depth": count, "retrieval.mass": share}, env={}).settings.retrieval
    text = {"SYMPOSIA_RETRIEVAL_DEPTH": str(count), "SYMPOSIA_RETRIEVAL_MASS": repr(share)}
    assert load_settings(env=text).settings.retrieval == typed
