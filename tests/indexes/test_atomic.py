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
    atomic.write(path, b"newer")
    assert path.read_bytes() == b"newer"
