"""A disk without room, and one that cannot be written: a clear error, nothing lost, and it works again afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from app.bench import crash_child as child
from app.bench.crash import HEAVY, _heard
from app.bench.crash_child import Checked, State
from indexes.errors import StoreError

MIB = 2**20
AMPLE = 1024 * MIB
pytestmark = pytest.mark.slow


def mounted(folder: Path, *options: str) -> bool:
    command = ["mount", "-o", ",".join(options), *(() if "remount" in options else ("-t", "tmpfs", "tmpfs"))]
    try:
        return subprocess.run([*command, str(folder)], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, which only root can make."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or not mounted(folder, f"size={AMPLE}"):
        pytest.skip("a file system in memory cannot be mounted here: it needs root, and the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def sealed(disk: Path) -> Callable[[bool], None]:
    """Lets nobody write to the disk, or everybody again. Root is not kept out by a folder's mode, so it is mounted anew."""

    def seal(shut: bool) -> None:
        assert mounted(disk, "remount", "ro" if shut else "rw")

    return seal


@pytest.fixture
def few(tmp_path: Path) -> Path:
    child.write_documents(tmp_path / "few", 100, seed=1)
    return tmp_path / "few"


@pytest.fixture
def many(tmp_path: Path) -> Path:
    child.write_documents(tmp_path / "many", 1500, seed=2)
    return tmp_path / "many"


def told(target: Callable[..., None], documents: Path, home: Path) -> tuple[list[Any], int | None]:
    """What a child process says, and how it ended."""
    context = get_context("forkserver")
    context.set_forkserver_preload([child.__name__, *HEAVY])
    messages, sending = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(documents, home, sending))
    process.start()
    sending.close()
    said = _heard(messages, None)
    process.join()
    return said, process.exitcode


def added(documents: Path, home: Path) -> Any:
    """``DONE``, or the error that adding ended with."""
    said, code = told(child.add, documents, home)
    assert code == 0, f"the process ended with code {code}"
    return said[-1]


def ids(documents: Path) -> set[str]:
    return {passage for _, passage in child.expected(documents)}


def shrink(disk: Path, left: int) -> None:
    """Leave so many bytes free."""
    taken = shutil.disk_usage(disk)
    assert mounted(disk, "remount", f"size={(taken.used + left) // 4096 * 4096}")


@pytest.mark.parametrize("left", [1 * MIB, 100 * MIB], ids=["nothing", "less than the reserve"])
def test_a_full_disk_gives_an_error_and_loses_nothing(disk: Path, few: Path, many: Path, left: int) -> None:
    assert added(few, disk) == child.DONE
    shrink(disk, left)
    error = added(many, disk)
    assert isinstance(error, StoreError)
    assert "MiB" in error.problem
    assert "Free some space" in error.fix
    assert mounted(disk, "remount", f"size={AMPLE}")
    assert ids(few) <= set(child.state(disk).ids)
    assert added(many, disk) == child.DONE
    found = child.state(disk)
    assert found.doubled == 0
    assert ids(few) | ids(many) <= set(found.ids)


def test_a_disk_that_fills_up_meanwhile_gives_an_error_and_what_was_acknowledged_stays(disk: Path, many: Path) -> None:
    shrink(disk, 203 * MIB)
    said, code = told(child.add, many, disk)
    assert code == 0
    *reports, last = said
    if last == child.DONE:
        pytest.skip("the engine took less room than it used to: nothing was full")
    assert isinstance(last, StoreError)
    assert mounted(disk, "remount", f"size={AMPLE}")
    found = child.state(disk)
    assert len(found.ids) >= max((report.passages for report in reports), default=0)
    assert added(many, disk) == child.DONE
    assert set(child.state(disk).ids) == ids(many)


def test_a_slice_can_be_read_where_there_is_too_little_room_to_write(disk: Path, few: Path) -> None:
    assert added(few, disk) == child.DONE
    shrink(disk, 100 * MIB)
    assert set(child.state(disk).ids) == ids(few)


def test_a_disk_that_cannot_be_written_gives_an_error_and_loses_nothing(
    disk: Path, few: Path, many: Path, sealed: Callable[[bool], None]
) -> None:
    assert added(few, disk) == child.DONE
    sealed(True)
    error = added(many, disk)
    assert isinstance(error, StoreError)
    assert "Read-only" in error.problem
    assert "home" in error.fix
    [seen], _ = told(child.check, few, disk)
    assert isinstance(seen, Checked)
    assert "Read-only" in seen.problem
    sealed(False)
    assert set(child.state(disk).ids) == ids(few)
    assert added(many, disk) == child.DONE


def test_a_new_slice_on_a_disk_that_cannot_be_written_gives_an_error(
    disk: Path, few: Path, sealed: Callable[[bool], None]
) -> None:
    sealed(True)
    error = added(few, disk)
    assert isinstance(error, StoreError)
    assert "Read-only" in error.problem
    sealed(False)
    assert child.state(disk) == State()
