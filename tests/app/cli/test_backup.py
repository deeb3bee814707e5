from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from indexes.store.open import opener
from tests.indexes.archive.conftest import make_slice, points_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home of the settings, with one expert and a key."""
    folder = tmp_path / ".symposia"
    make_slice(folder / "slices", "birds", opener())
    (folder / "keys.json").write_text('{"format": 1, "keys": []}')
    (folder / "keys.json").chmod(0o600)
    (folder / "evaluations").mkdir()
    return folder


def test_a_home_is_written_checked_and_restored(run: Any, home: Path, tmp_path: Path) -> None:
    (tmp_path / "symposia.toml").write_text("[split]\nsize = 90\n")
    ended = run("backup", "b.symposia")
    assert ended.code == 0
    assert "1 slices with 24 passages and 1 other files" in ended.out
    assert "Left out: evaluations." in ended.err
    assert "b.symposia is whole: made 2" in run("backup", "b.symposia", "--verify").out
    ended = run("restore", "b.symposia", "--into", "elsewhere")
    assert ended.code == 0
    assert f"The settings of then lie in {tmp_path / 'elsewhere' / 'settings.toml'}" in ended.err
    assert len(points_of(tmp_path / "elsewhere" / "slices" / "birds", opener())) == 24
    assert (tmp_path / "elsewhere" / "keys.json").stat().st_mode & 0o777 == 0o600
    assert home.is_dir()


@pytest.mark.usefixtures("home")
def test_a_home_in_use_is_replaced_only_when_asked(run: Any) -> None:
    run("backup", "b.symposia")
    ended = run("restore", "b.symposia")
    assert ended.code == 1
    assert "is not empty" in ended.err
    ended = run("restore", "b.symposia", "--replace", "--json")
    assert ended.code == 0
    assert ended.document["slices"] == {"birds": 24}
    assert ended.document["files"] == ["keys.json"]


@pytest.mark.usefixtures("home")
def test_a_damaged_backup_is_refused_by_all(run: Any, tmp_path: Path) -> None:
    run("backup", "b.symposia")
    os.truncate(tmp_path / "b.symposia", (tmp_path / "b.symposia").stat().st_size - 3000)
    for command in (("backup", "b.symposia", "--verify"), ("restore", "b.symposia", "--into", "x")):
        ended = run(*command)
        assert ended.code == 1
        assert "was cut short" in ended.err or "is damaged" in ended.err
    assert not (tmp_path / "x").exists()


def test_without_a_home_there_is_nothing_to_write(run: Any) -> None:
    ended = run("backup", "b.symposia")
    assert ended.code == 1
    assert "There is nothing in" in ended.err
