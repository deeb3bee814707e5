from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from app.doctor import Check, examine
from app.settings import load_settings


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_a_fresh_machine_lacks_models_and_slices_and_nothing_is_made(tmp_path: Path) -> None:
    flags = {"home": "home", "models.cache": "cache"}
    checks = by_name(examine(partial(load_settings, flags=flags, env={}, folder=tmp_path)))
    wanting = {name: check.status for name, check in checks.items() if name in {"encoder", "generator", "slices"}}
    assert wanting == {"encoder": "fail", "generator": "fail", "slices": "warn"}
    assert checks["settings"].detail == "no file; 2 settings differ from the defaults"
    assert list(tmp_path.iterdir()) == []


def test_a_broken_settings_file_is_one_finding_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "symposia.toml").write_text("[split]\nsise = 3\n")
    checks = by_name(examine(partial(load_settings, env={}, folder=tmp_path)))
    assert checks["settings"].status == "fail"
    assert "'sise'" in checks["settings"].detail
    assert "'size'" in checks["settings"].fix
    assert str(tmp_path / ".symposia") in checks["home folder"].detail
    assert {"python", "packages", "processor", "encoder", "generator", "slices"} <= set(checks)


def test_the_server_is_asked_only_where_one_is_set(tmp_path: Path) -> None:
    load = partial(load_settings, env={}, folder=tmp_path)
    assert "Qdrant server" not in by_name(examine(load))
    with_url = partial(load_settings, flags={"store.url": "http://127.0.0.1:9"}, env={}, folder=tmp_path)
    assert by_name(examine(with_url))["Qdrant server"].status == "fail"


def test_every_finding_that_is_not_fine_says_what_to_do(tmp_path: Path) -> None:
    checks = examine(partial(load_settings, flags={"models.cache": "c"}, env={}, folder=tmp_path))
    assert [check.name for check in checks if (check.status == "ok") == bool(check.fix)] == []


def test_the_models_that_may_be_left_out_are_looked_at_where_they_are_named(tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text('[models]\nreranker = "./r"\nentailment = "./nope"\njudge = "./j"\n')
    checks = by_name(examine(partial(load_settings, env={}, folder=tmp_path)))
    found = {name: checks[name].status for name in ("reranker", "entailment", "judge")}
    assert found == {"reranker": "fail", "entailment": "fail", "judge": "warn"}
    assert str(tmp_path / "nope") in checks["entailment"].detail
    assert "org/name" in checks["entailment"].fix
    without = by_name(examine(partial(load_settings, env={}, folder=tmp_path / "elsewhere")))
    assert not {"reranker", "entailment", "judge"} & set(without)
