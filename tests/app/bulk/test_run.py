"""Bulk adding: without Ray in this process, and with a local Ray cluster of which a worker dies."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from app.bench.crash_child import HashedWords, write_documents
from app.bulk import run as run_module
from app.bulk.run import BulkProgress, BulkReport, Work, bulk
from app.bulk.shards import Shards
from app.bulk.workers import MakeEncoder, ShardDone
from app.library import Library
from app.settings import Settings
from indexes.errors import InputError
from indexes.store.open import opener
from retrievers.panel import Panel

EXPERT = "notes"
WORKERS = 3


def here(
    shards: Shards, keys: list[str], make_encoder: MakeEncoder, *, workers: int, address: str
) -> Iterator[ShardDone]:
    """What the workers do, in this process and backwards."""
    encoder = make_encoder()
    for key in reversed(keys):
        yield ShardDone(key, shards.encode(key, encoder), "here", 1)


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    write_documents(tmp_path / "documents", 120, seed=1)
    return tmp_path / "documents"


@pytest.fixture
def make_panel(tmp_path: Path) -> Callable[[str], Panel]:
    return lambda name: Panel(tmp_path / name, HashedWords(), opener())


def digest(panel: Panel) -> tuple[int, str]:
    """How many points there are, and a hash of all that is stored, to the last bit."""
    total, found = 0, hashlib.sha256()
    with closing(panel):
        panel.open()
        for points in panel.experts[EXPERT].slice.store.records():
            total += len(points)
            for point in points:
                stored = (point.id, point.dense.tolist(), point.sparse, sorted(point.payload.items()))
                found.update(repr(stored).encode())
    return total, found.hexdigest()


def add_in_bulk(panel: Panel, documents: Path, work: Path, **options: Any) -> BulkReport:
    return bulk(panel, Settings(), [documents], EXPERT, Work(work, HashedWords, WORKERS, size=20), **options)


@pytest.fixture
def plain(make_panel: Callable[[str], Panel], documents: Path) -> tuple[int, str]:
    return added("plain", make_panel, documents)


def added(name: str, make_panel: Callable[[str], Panel], documents: Path) -> tuple[int, str]:
    """What ``add`` makes of the documents."""
    with closing(make_panel(name)) as panel:
        Library(panel, Settings()).add_paths([documents], EXPERT)
    return digest(panel)


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "encode", here)


@pytest.mark.usefixtures("without_ray")
def test_it_ends_in_the_same_slice_as_adding(
    make_panel: Callable[[str], Panel], documents: Path, plain: tuple[int, str], tmp_path: Path
) -> None:
    panel = make_panel("bulk")
    encoder = panel.encoder
    report = add_in_bulk(panel, documents, tmp_path / "work")
    assert digest(panel) == plain
    assert report.texts == report.added.embedded == plain[0]
    assert (report.here, report.reused) == (0, 0)
    assert isinstance(encoder, HashedWords)
    assert encoder.passages == 0
    assert not (tmp_path / "work").exists()


@pytest.mark.usefixtures("without_ray")
def test_a_second_time_encodes_nothing(
    make_panel: Callable[[str], Panel], documents: Path, plain: tuple[int, str], tmp_path: Path
) -> None:
    panel = make_panel("bulk")
    add_in_bulk(panel, documents, tmp_path / "work")
    again = add_in_bulk(panel, documents, tmp_path / "work")
    assert (again.shards, again.texts, again.added.embedded) == (0, 0, 0)
    assert digest(panel) == plain


def test_after_an_interruption_it_goes_on(
    make_panel: Callable[[str], Panel],
    documents: Path,
    plain: tuple[int, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = list[int]()

    def interrupted(*given: Any, **options: Any) -> Iterator[ShardDone]:
        for each in here(*given, **options):
            done.append(each.texts)
            yield each
            if len(done) == 4:
                raise KeyboardInterrupt

    panel = make_panel("bulk")
    monkeypatch.setattr(run_module, "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add_in_bulk(panel, documents, tmp_path / "work")
    monkeypatch.setattr(run_module, "encode", here)
    report = add_in_bulk(panel, documents, tmp_path / "work")
    assert report.reused == 4
    assert report.texts == plain[0] - sum(done)
    assert digest(panel) == plain


@pytest.mark.usefixtures("without_ray")
def test_only_what_is_new_is_encoded(
    make_panel: Callable[[str], Panel], documents: Path, plain: tuple[int, str], tmp_path: Path
) -> None:
    panel = make_panel("bulk")
    add_in_bulk(panel, documents, tmp_path / "work")
    (documents / "0000" / "new.txt").write_text("One short text more.", encoding="utf-8")
    report = add_in_bulk(panel, documents, tmp_path / "work")
    assert (report.shards, report.texts, report.added.embedded) == (1, 1, 1)
    assert digest(panel)[0] == plain[0] + 1


@pytest.mark.usefixtures("without_ray")
def test_what_changes_between_encoding_and_adding_is_encoded_on_the_spot(
    make_panel: Callable[[str], Panel], documents: Path, tmp_path: Path
) -> None:
    panel, changed = make_panel("bulk"), next(documents.rglob("*.txt"))

    def change(_: BulkProgress) -> None:
        changed.write_text("It says something else by now.", encoding="utf-8")

    report = add_in_bulk(panel, documents, tmp_path / "work", on_encoded=change)
    assert report.here == 1
    assert digest(panel) == added("other", make_panel, documents)


def test_progress_says_what_is_left() -> None:
    assert BulkProgress(10, 4, 400, 20.0, 1).left == 30
    assert BulkProgress(10, 0, 0, 5.0, 1).left is None


def test_without_ray_the_error_says_what_to_install(
    make_panel: Callable[[str], Panel], documents: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(InputError, match="not installed") as caught:
        add_in_bulk(make_panel("bulk"), documents, tmp_path / "work")
    assert "symposia[bulk]" in caught.value.fix


def listening(pids: set[int]) -> list[str]:
    """Addresses on which any of the processes listens."""
    lines = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split()[3] for line in lines if any(f"pid={pid}," in line for pid in pids)]


def descendants(pid: int) -> set[int]:
    """The process and all below it."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    pairs = [(int(child), int(parent)) for child, parent, name in rows if name != "ps"]
    found = {pid}
    while more := {child for child, parent in pairs if parent in found} - found:
        found |= more
    return found


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(
    make_panel: Callable[[str], Panel],
    documents: Path,
    plain: tuple[int, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if find_spec("ray") is None:  # not imported before its environment is set
        pytest.skip("Ray is not installed: pip install 'symposia[bulk]'")
    session = Path(tempfile.mkdtemp(prefix="ray-"))  # short: sockets lie in it
    monkeypatch.setenv("RAY_TMPDIR", str(session))

    class Slow(HashedWords):
        def encode_passages(self, texts: Any, on_progress: Any = None) -> Any:
            time.sleep(0.3)
            return super().encode_passages(texts, on_progress)

    killed, addresses = list[int](), list[str]()

    def kill(progress: BulkProgress) -> None:
        if progress.done == progress.shards // 3:
            addresses.extend(listening(descendants(os.getpid())) if shutil.which("ss") else [])
            os.kill(progress.pid, signal.SIGKILL)
            killed.append(progress.pid)

    panel = make_panel("bulk")
    before = descendants(os.getpid())
    try:
        work = Work(tmp_path / "work", Slow, WORKERS, size=10)
        report = bulk(panel, Settings(), [documents], EXPERT, work, on_encoded=kill)
    finally:
        shutil.rmtree(session, ignore_errors=True)
    assert len(killed) == 1
    assert report.workers >= 2
    assert digest(panel) == plain
    assert report.added.embedded == plain[0]
    assert report.here == 0
    assert all("127.0.0.1" in address for address in addresses), addresses
    assert descendants(os.getpid()) <= before | {os.getpid()}
