from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexes.errors import SliceError, StoreError
from indexes.store.base import Point
from indexes.store.edge import EdgeStore
from indexes.store.lock import OWNER
from tests.fakes import DIMENSION

ROOT = Path(__file__).parents[3]
ELSEWHERE = """
import os, signal, sys
from pathlib import Path
from indexes.errors import SymposiaError
from indexes.store.edge import EdgeStore
from tests.indexes.store.conftest import make_points

try:
    store = EdgeStore(Path(sys.argv[1]), 64)
except SymposiaError as error:
    sys.exit(f"{type(error).__name__}: {error}")
store.upsert(make_points())
store.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def store(tmp_path: Path, points: list[Point]) -> Iterator[EdgeStore]:
    store = EdgeStore(tmp_path / "shard", DIMENSION)
    store.upsert(points)
    yield store
    if store.folder.exists():
        store.drop()


def open_elsewhere(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", ELSEWHERE, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120, check=False)


def test_a_closed_store_opens_again_with_everything_in_it(store: EdgeStore, points: list[Point]) -> None:
    before = store.candidates(points[0].dense, points[0].sparse, 5)
    store.close()
    again = EdgeStore(store.folder, DIMENSION)
    try:
        after = again.candidates(points[0].dense, points[0].sparse, 5)
        assert again.count() == len(points)
        assert after.ids == before.ids
        assert after.bm25.tolist() == before.bm25.tolist()
        assert again.fetch([points[3].id]) == [points[3].payload]
    finally:
        again.close()


def test_closing_twice_does_no_harm(store: EdgeStore) -> None:
    store.close()
    store.close()
    assert not (store.folder / OWNER).exists()


def test_dropping_removes_the_folder(store: EdgeStore) -> None:
    store.drop()
    assert not store.folder.exists()


def test_another_process_is_told_who_holds_the_slice_and_harms_nothing(store: EdgeStore, points: list[Point]) -> None:
    there = open_elsewhere(store.folder)
    assert there.returncode == 1
    assert there.stderr.startswith(f"StoreError: The slice at {store.folder} is in use by process {os.getpid()} (")
    assert "[store] url" in there.stderr
    store.delete([points[0].id])
    store.upsert(points[:2])
    store.flush()
    assert store.count() == len(points)
    assert store.candidates(points[0].dense, points[0].sparse, 1).dense.max() == pytest.approx(1)
    store.close()
    again = EdgeStore(store.folder, DIMENSION)
    assert again.count() == len(points)
    again.close()


def test_a_second_store_in_this_process_is_refused_too(store: EdgeStore, points: list[Point]) -> None:
    with pytest.raises(StoreError, match=f"in use by process {os.getpid()}"):
        EdgeStore(store.folder, DIMENSION)
    assert store.count() == len(points)


def test_what_was_flushed_survives_a_killed_process(tmp_path: Path, points: list[Point]) -> None:
    assert open_elsewhere(tmp_path / "shard").returncode == -signal.SIGKILL
    store = EdgeStore(tmp_path / "shard", DIMENSION)
    assert store.count() == len(points)
    assert json.loads((store.folder / OWNER).read_text())["pid"] == os.getpid()
    store.close()


def test_an_unreadable_note_on_the_owner_still_gives_a_message(store: EdgeStore) -> None:
    (store.folder / OWNER).write_text("{")
    with pytest.raises(StoreError, match="in use by another process"):
        EdgeStore(store.folder, DIMENSION)


def test_a_damaged_shard_is_a_slice_error_and_is_not_held(store: EdgeStore) -> None:
    store.close()
    (store.folder / "edge_config.json").write_text("{")
    for _ in range(2):  # a lock that was kept would be a StoreError the second time
        with pytest.raises(SliceError, match="could not be read or written") as caught:
            EdgeStore(store.folder, DIMENSION)
        assert "add the documents again" in caught.value.fix


@pytest.mark.parametrize("message", ["write failed: No space left on device (os error 28)", "No space left"])
def test_a_full_disk_is_told_as_such(store: EdgeStore, monkeypatch: pytest.MonkeyPatch, message: str) -> None:
    class Full:
        def update(self, *_: Any) -> None:
            raise Exception(message)  # noqa: TRY002 (the engine raises nothing narrower)

        flush = update

    with monkeypatch.context() as patch:
        patch.setattr(store, "_shard", Full())
        with pytest.raises(StoreError, match=r"disk that holds .* is full") as caught:
            store.delete(["5f0c8f6e-2b43-5d0a-9c55-7d1b1c6a3e21"])
        with pytest.raises(StoreError, match="is full"):
            store.flush()
    assert "it resumes" in caught.value.fix
