from __future__ import annotations

import json
import tomllib
from pathlib import Path

from app.settings import Loaded, load_settings
from app.settings.schema import fields, flatten
from app.settings.show import rows, to_dict, to_toml

SECRET = "hunter2-and-more"


def loaded_with_secret(folder: Path) -> Loaded:
    flags = {"store.api_key": SECRET, "store.url": 'http://q"\\\x7f', "retrieval.passages": 7, "preset": "thorough"}
    return load_settings(flags=flags, env={}, folder=folder)


def test_a_secret_appears_nowhere(tmp_path: Path) -> None:
    loaded = loaded_with_secret(tmp_path)
    printed = [str(loaded), repr(loaded.settings), to_toml(loaded), json.dumps(to_dict(loaded)), str(rows(loaded))]
    assert not [text for text in printed if SECRET in text]
    assert to_dict(loaded)["settings"]["store.api_key"]["value"] == "********"


def test_the_key_of_a_models_server_appears_nowhere(tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text(f'[models]\nserver_key = "{SECRET}"\n')
    for loaded in (
        load_settings(env={}, folder=tmp_path),
        load_settings(env={"SYMPOSIA_MODELS_SERVER_KEY": SECRET}, folder=tmp_path),
    ):
        printed = [str(loaded), repr(loaded.settings), to_toml(loaded), json.dumps(to_dict(loaded)), str(rows(loaded))]
        assert loaded.settings.models.server_key.get_secret_value() == SECRET
        assert not [text for text in printed if SECRET in text]
        assert "server_key is set" in to_toml(loaded)


def test_an_empty_secret_is_shown_as_empty(tmp_path: Path) -> None:
    shown = to_dict(load_settings(env={}, folder=tmp_path))
    assert shown["settings"]["store.api_key"]["value"] == ""


def test_the_toml_gives_the_same_settings_but_for_the_secret(tmp_path: Path) -> None:
    loaded = loaded_with_secret(tmp_path)
    path = tmp_path / "copy.toml"
    path.write_text(to_toml(loaded), encoding="utf-8")
    assert tomllib.loads(to_toml(loaded))["retrieval"]["passages"] == 7
    again = load_settings(path, env={}, folder=tmp_path)
    before, after = flatten(loaded.settings), flatten(again.settings)
    del before["store.api_key"], after["store.api_key"]
    assert after == before


def test_the_toml_leaves_what_nobody_set_to_the_preset(tmp_path: Path) -> None:
    path = tmp_path / "symposia.toml"
    path.write_text(to_toml(load_settings(flags={"split.size": 80}, env={}, folder=tmp_path)), encoding="utf-8")
    again = load_settings(flags={"preset": "thorough"}, env={}, folder=tmp_path)
    assert (again.settings.retrieval.depth, again.origins["retrieval.depth"]) == (100, "preset thorough")
    assert (again.settings.split.size, again.origins["split.size"]) == (80, str(path))
    assert {key for key, origin in again.origins.items() if origin == str(path)} == {"home", "split.size"}


def test_the_toml_shows_every_setting_and_what_a_preset_set_in_comments(tmp_path: Path) -> None:
    lines = to_toml(load_settings(flags={"preset": "fast"}, env={}, folder=tmp_path)).splitlines()
    assert 'preset = "fast"  # flag' in lines
    assert "# passages = 3  # preset fast" in lines
    assert '# url = ""  # default' in lines
    named = [line.removeprefix("# ").partition(" =")[0] for line in lines if " = " in line]
    assert named == [key.rpartition(".")[2] for key in fields()]


def test_the_toml_keeps_the_home_wherever_it_is_put(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "copy.toml").write_text(to_toml(load_settings(env={}, folder=tmp_path)), encoding="utf-8")
    again = load_settings(tmp_path / "etc" / "copy.toml", env={}, folder=tmp_path)
    assert again.settings.home == tmp_path / ".symposia"


def test_every_setting_is_a_row_with_its_origin(tmp_path: Path) -> None:
    loaded = loaded_with_secret(tmp_path)
    found = {key: (value, origin) for key, value, origin, _ in rows(loaded)}
    assert list(found) == list(fields())
    assert found["retrieval.passages"] == ("7", "flag")
    assert found["retrieval.depth"] == ("100", "preset thorough")
    assert found["models.dtype"] == ('"auto"', "default")


def test_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text("")
    assert to_dict(load_settings(env={}, folder=tmp_path))["file"] == str(tmp_path / "symposia.toml")
