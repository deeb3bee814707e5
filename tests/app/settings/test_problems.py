from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.settings import load_settings
from app.settings.problems import nearest, takes
from app.settings.schema import fields
from indexes.errors import SettingsError

Write = Callable[[str], Path]


def error_of(config: Path | None = None, **given: dict[str, str]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings(config, given.get("flags"), given.get("env", {}))
    return caught.value


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("[retrieval]\npasages = 3", "section [retrieval]", "'passages' (section [retrieval])"),
        ("passages = 3", "top level", "'passages' (section [retrieval])"),
        ("[retrieval]\nalpha = 3", "section [retrieval]", "'alpha' (section [generation])"),
        ("[models]\nhoem = 'x'", "section [models]", "'home' (top level, before any section)"),
        ("presett = 'fast'", "top level", "'preset' (top level, before any section)"),
        ("[retrieval]\nzzzz = 1", "section [retrieval]", "Settings there: passages, depth, mass"),
        ("[retreival]\nx = 1", "symposia.toml", "Did you mean [retrieval]?"),
        ("[[[", "line 1", "Mend that line"),
        ("models = 'x'", "symposia.toml", "Write a line [models]"),
    ],
)
def test_an_unknown_key_names_where_it_stands_and_the_nearest(write: Write, text: str, place: str, hint: str) -> None:
    path = write(text)
    error = error_of(path)
    assert str(path) in error.problem
    assert place in error.problem
    assert hint in error.fix


def test_an_unknown_variable_names_the_nearest() -> None:
    error = error_of(env={"SYMPOSIA_RETRIEVAL_PASAGES": "3"})
    assert "SYMPOSIA_RETRIEVAL_PASAGES" in error.problem
    assert "SYMPOSIA_RETRIEVAL_PASSAGES (section [retrieval])" in error.fix


@pytest.mark.parametrize("key", ["retreival.pasages", "pasages", "retrieval.pasages"])
def test_an_unknown_flag_names_the_nearest(key: str) -> None:
    error = error_of(flags={key: "3"})
    assert key in error.problem
    assert "'passages' (section [retrieval])" in error.fix


@pytest.mark.parametrize(
    ("text", "key", "got", "takes_words"),
    [
        ("[retrieval]\npassages = '3'", "retrieval.passages", "'3'", "a whole number of 1 or more"),
        ("[retrieval]\npassages = 0", "retrieval.passages", "0", "a whole number of 1 or more"),
        ("[retrieval]\npassages = 2.0", "retrieval.passages", "2.0", "a whole number of 1 or more"),
        ("[retrieval]\npassages = true", "retrieval.passages", "True", "a whole number of 1 or more"),
        ("[verdict]\nsupport = 1.5", "verdict.support", "1.5", "a number from 0 to 1"),
        ("[verdict]\nsupport = nan", "verdict.support", "nan", "a number from 0 to 1"),
        ("[generation]\ntemperature = inf", "generation.temperature", "inf", "a number of 0 or more"),
        (
            "[generation]\npolicy = 'adcad'",
            "generation.policy",
            "'adcad'",
            'one of "greedy", "cad", "adacad", "coiecd"',
        ),
        ("[models]\nencoder = ''", "models.encoder", "''", "text that is not empty"),
        ("[models]\nencoder = ['a']", "models.encoder", "['a']", "text that is not empty"),
        ("home = ''", "home", "''", "the path of a folder"),
        ("home = 3", "home", "3", "the path of a folder"),
        ("preset = 'quick'", "preset", "'quick'", 'one of "fast", "balanced", "thorough"'),
    ],
)
def test_a_wrong_value_says_which_key_what_it_got_and_what_it_takes(
    write: Write, text: str, key: str, got: str, takes_words: str
) -> None:
    path = write(text)
    error = error_of(path)
    assert f"{key} is {got}, but it takes {takes_words}" in error.problem
    assert str(path) in error.problem
    assert "default" in error.fix


def test_a_wrong_value_is_an_error_even_where_a_stronger_layer_overrides_it(write: Write) -> None:
    with pytest.raises(SettingsError, match=r"retrieval\.passages is 0"):
        load_settings(write("[retrieval]\npassages = 0"), {"retrieval.passages": 3}, {})


@pytest.mark.parametrize("value", ["", "five", "5.5"])
def test_text_that_is_no_number_names_the_variable(value: str) -> None:
    error = error_of(env={"SYMPOSIA_RETRIEVAL_PASSAGES": value})
    assert error.problem.startswith("Environment variable SYMPOSIA_RETRIEVAL_PASSAGES: retrieval.passages is ")


def test_a_secret_of_the_wrong_type_is_not_shown(write: Write) -> None:
    error = error_of(write("[store]\napi_key = 12345"))
    assert "store.api_key" in error.problem
    assert "12345" not in str(error)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a =\n", 1), ("home = 'x'\n[store\n", 2), ("home = 'x'\nhome = 'y'\n", 2), ('\n\nhome = """\nx', 4)],
)
def test_broken_toml_names_file_and_line(write: Write, text: str, line: int) -> None:
    path = write(text)
    error = error_of(path)
    assert error.problem.startswith(f"{path}, line {line}: this is not valid TOML")


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(b"home = 'x'\n[store]\nurl = '\xff'\n")
    assert f"{path}, line 3" in error_of(path).problem


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xef\xbb\xbf[generation]\nseed = 4\n")
    assert load_settings(path, env={}).settings.generation.seed == 4


def test_a_file_that_was_named_but_is_absent_says_who_named_it(tmp_path: Path) -> None:
    absent = tmp_path / "no.toml"
    assert "named by --config" in error_of(absent).problem
    assert "SYMPOSIA_CONFIG" in error_of(env={"SYMPOSIA_CONFIG": str(absent)}).problem


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(env={}, folder=tmp_path)


def test_nothing_is_nearest_to_something_quite_different() -> None:
    assert nearest("retrieval.zzzz") is None


def test_every_setting_says_what_it_takes_and_what_it_is() -> None:
    for key, field in fields().items():
        assert takes(field), key
        assert field.description, key
