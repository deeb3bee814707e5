from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexes import atomic


def test_a_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    for content in (b"old", b"", b"new and longer"):
        atomic.write(tmp_path / "a" / "b.json", content)
        assert (tmp_path / "a" / "b.json").read_bytes() == content
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b.json"
    atomic.write(path, b"old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            atomic.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["b.json"]
    atomic.write(path, b"newer")
    assert path.read_bytes() == b"newer"


def test_of_two_writers_at_once_neither_takes_away_what_the_other_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, fsync = tmp_path / "b.json", os.fsync

    def overtaken(file: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        atomic.write(path, b"first")
        fsync(file)

    monkeypatch.setattr(os, "fsync", overtaken)
    atomic.write(path, b"last")
    assert path.read_bytes() == b"last"
    assert [each.name for each in tmp_path.iterdir()] == ["b.json"]


def test_what_a_writer_that_was_killed_has_left_goes_after_a_while_and_what_is_being_written_stays(
    tmp_path: Path,
) -> None:
    names = ["b.json.partial", "b.json.0123456789abcdef.partial", "b.json.fresh.partial", "c.json.old.partial"]
    for name in names:
        (tmp_path / name).write_bytes(b"half")
        if "fresh" not in name:
            os.utime(tmp_path / name, (0, 0))
    atomic.write(tmp_path / "b.json", b"whole")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.json", "b.json.fresh.partial", "c.json.old.partial"]


@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_a_file_has_the_mode_that_it_is_given_and_keeps_it(tmp_path: Path, mode: int) -> None:
    for content in (b"old", b"new"):
        atomic.write(tmp_path / "b.json", content, mode)
        assert (tmp_path / "b.json").stat().st_mode & 0o777 == mode


def test_where_nobody_else_writes_what_was_left_goes_at_once(tmp_path: Path) -> None:
    for name in ("b.json.partial", "b.json.fresh.partial", "c.json.fresh.partial"):
        (tmp_path / name).write_bytes(b"half")
    atomic.write(tmp_path / "b.json", b"whole", alone=True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["b.json", "c.json.fresh.partial"]
