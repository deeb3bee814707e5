from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from app.doctor import Check


def test_every_value_is_printed_with_its_origin(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "symposia.toml").write_text("[split]\nsize = 80\n")
    monkeypatch.setenv("SYMPOSIA_GENERATION_SEED", "3")
    ended = run("--preset", "fast", "config")
    rows = {line.split()[0]: line.split() for line in ended.out.splitlines()}
    assert rows["split.size"][1:3] == ["80", str(tmp_path / "symposia.toml")]
    assert rows["generation.seed"][1:3] == ["3", "SYMPOSIA_GENERATION_SEED"]
    assert rows["retrieval.passages"][1:4] == ["3", "preset", "fast"]
    assert rows["preset"][1:3] == ['"fast"', "flag"]


def test_the_secret_is_not_printed_in_any_form(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMPOSIA_STORE_API_KEY", "hunter2")
    for form in ((), ("--json",), ("--toml",)):
        ended = run("config", *form)
        assert ended.code == 0
        assert "hunter2" not in ended.out + ended.err


def test_toml_is_a_settings_file(run: Any) -> None:
    assert tomllib.loads(run("--set", "retrieval.passages=6", "config", "--toml").out)["retrieval"] == {"passages": 6}


def test_the_file_that_the_chat_advises_to_write_does_not_beat_a_preset(run: Any, tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text(run("config", "--toml").out)
    shown = run("--preset", "fast", "config", "--json").document["settings"]
    assert shown["retrieval.passages"] == {"value": 3, "origin": "preset fast"}


def test_an_error_in_the_file_is_explained(run: Any, tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text("[split]\nsise = 80\n")
    ended = run("config")
    assert (ended.code, ended.out) == (1, "")
    assert f"{tmp_path / 'symposia.toml'}, section [split]: there is no setting 'sise'." in ended.err
    assert "'size'" in ended.err


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_the_doctor_ends_with_1_where_a_check_fails(
    run: Any, monkeypatch: pytest.MonkeyPatch, status: Any, code: int
) -> None:
    checks = [Check("python", "ok", "3.12"), Check("encoder", status, "is [odd]", "Mend it.")]
    monkeypatch.setattr("app.doctor.examine", lambda _: checks)
    ended = run("doctor")
    assert ended.code == code
    assert ended.out.splitlines()[2].split() == ["encoder", status, "is", "[odd]"]
    assert ("encoder: Mend it." in ended.out) == (status != "ok")
    document = run("doctor", "--json").document
    assert document == {"ok": code == 0, "checks": [check.to_dict() for check in checks]}
