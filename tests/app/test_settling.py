from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.settling import DECIDED, settle
from indexes.archive.staging import COMMIT, FOLDER


def test_it_looks_where_archives_decide() -> None:
    assert Path(FOLDER) / COMMIT == DECIDED


@pytest.mark.parametrize("root", ["", "slices"])
def test_what_was_decided_is_finished(tmp_path: Path, root: str) -> None:
    new = tmp_path / root / FOLDER / "new"
    new.mkdir(parents=True)
    (new / "a").write_text("new")
    (tmp_path / root / "a").write_text("old")
    (tmp_path / root / DECIDED).write_text(json.dumps({"install": ["a"], "remove": []}))
    settle(tmp_path)
    assert (tmp_path / root / "a").read_text() == "new"
    assert not (tmp_path / root / DECIDED).exists()


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    settle(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()
