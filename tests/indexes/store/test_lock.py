from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from indexes.errors import StoreError
from indexes.store.lock import LOCK, OWNER, lock


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Path]:
    """A folder that somebody has locked without a note."""
    taken = FileLock(tmp_path / LOCK, is_singleton=False)
    taken.acquire()
    yield tmp_path
    taken.release()


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def refusal(folder: Path) -> str:
    with pytest.raises(StoreError) as caught:
        lock(folder)
    assert "[store] url" in caught.value.fix
    return caught.value.problem


def test_the_note_names_this_process(tmp_path: Path) -> None:
    taken = lock(tmp_path / "shard")
    owner = json.loads((tmp_path / "shard" / OWNER).read_text())
    assert (owner["pid"], owner["host"]) == (os.getpid(), platform.node())
    problem = refusal(tmp_path / "shard")
    assert problem.startswith(f"The slice at {tmp_path / 'shard'} is in use by process {os.getpid()} (")
    assert f"since {owner['since']}" in problem
    taken.release()
    lock(tmp_path / "shard").release()


def test_a_note_of_a_process_that_has_ended_is_not_believed(held: Path) -> None:
    pid = dead_pid()
    (held / OWNER).write_text(json.dumps({"pid": pid, "command": "symposia"}))
    assert f"in use by another process (not {pid}, which is noted there and has ended)" in refusal(held)


def test_a_note_of_another_machine_names_it(held: Path) -> None:
    (held / OWNER).write_text(json.dumps({"pid": 7, "command": "symposia", "host": "elsewhere"}))
    assert "in use by process 7 (symposia) on elsewhere." in refusal(held)


def test_a_note_of_an_earlier_version_still_reads_well(held: Path) -> None:
    (held / OWNER).write_text(json.dumps({"pid": os.getpid(), "command": "symposia"}))
    assert f"in use by process {os.getpid()} (symposia)." in refusal(held)


@pytest.mark.parametrize("note", ["{", "[]", '{"pid": "x"}', "null"])
def test_an_unreadable_note_is_no_obstacle(held: Path, note: str) -> None:
    (held / OWNER).write_text(note)
    assert "in use by another process." in refusal(held)


def test_a_note_that_a_killed_process_left_keeps_nobody_out(tmp_path: Path) -> None:
    (tmp_path / OWNER).write_text(json.dumps({"pid": dead_pid(), "command": "symposia"}))
    lock(tmp_path).release()


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened: Not a directory") as caught:
        lock(tmp_path / "file" / "shard")
    assert "permissions" in caught.value.fix
