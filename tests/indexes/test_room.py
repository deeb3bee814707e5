from __future__ import annotations

import errno
from pathlib import Path
from typing import NamedTuple

import pytest

from indexes import room
from indexes.errors import StoreError
from indexes.room import OPENING, WRITING, check_room, refused
from indexes.store.edge import EdgeStore


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def leave(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: Usage(2 * WRITING, 0, free))


@pytest.mark.parametrize("least", [OPENING, WRITING])
def test_less_than_is_needed_is_an_error_that_says_how_much_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int
) -> None:
    leave(monkeypatch, least)
    check_room(tmp_path, least)
    leave(monkeypatch, least - 1)
    with pytest.raises(StoreError, match=f"{least - 1 >> 20} MiB left") as caught:
        check_room(tmp_path, least)
    assert "Free some space" in caught.value.fix


def test_a_store_asks_for_room_before_it_writes_and_can_be_read_with_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EdgeStore(tmp_path / "shard", 4)
    try:
        leave(monkeypatch, WRITING - 1)
        with pytest.raises(StoreError, match="MiB left"):
            store.delete(["00000000-0000-0000-0000-000000000001"])
        assert store.count() == 0
    finally:
        store.close()
    EdgeStore(tmp_path / "shard", 4).close()
    leave(monkeypatch, OPENING - 1)
    with pytest.raises(StoreError, match="MiB left"):
        EdgeStore(tmp_path / "shard", 4)
    leave(monkeypatch, WRITING)
    EdgeStore(tmp_path / "shard", 4).close()


@pytest.mark.parametrize(
    ("code", "problem", "fix"),
    [
        (errno.ENOSPC, "is full", "Free some space"),
        (errno.EROFS, "Read-only", "make it writable"),
        (errno.EACCES, "Permission denied", "make it writable"),
        (errno.EIO, "Input/output error", "mend its disk"),
    ],
)
def test_what_the_system_refuses_is_said_with_what_to_do(tmp_path: Path, code: int, problem: str, fix: str) -> None:
    error = refused(tmp_path, OSError(code, "something"))
    assert problem in error.problem
    assert str(tmp_path) in error.problem
    assert fix in error.fix
