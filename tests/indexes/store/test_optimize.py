"""Optimizing the embedded store beside itself: what is found, what is written meanwhile, and what goes wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import Popen
from threading import Event, Thread
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from indexes.errors import StoreError
from indexes.store import edge as edge_module
from indexes.store import rebuild
from indexes.store.base import DOCUMENT, Point, SparseVector
from indexes.store.edge import EdgeStore
from indexes.store.index import IndexSettings
from indexes.store.shard import BUILT, CONFIG, PARTS
from tests.fakes import DIMENSION

SMALL = IndexSettings(pays=200)
Open = Callable[..., EdgeStore]


def make_points(n: int, first: int = 0, seed: int = 0) -> list[Point]:
    random = np.random.default_rng(seed)
    vectors = random.standard_normal((n, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    terms = random.integers(0, 50, size=(n, 3))
    return [
        Point(
            str(UUID(int=first + row + 1)),
            vectors[row],
            SparseVector(tuple(sorted(set(terms[row].tolist()))), (1.0,) * len(set(terms[row].tolist()))),
            {"text": f"passage {row}", DOCUMENT: f"document {row // 5}"},
        )
        for row in range(n)
    ]


class Here:
    """Stands in for the other process, which takes long to start on a busy machine: works when it is waited for."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.returncode = 0

    def communicate(self) -> tuple[str, str]:
        if self.returncode == 0:
            rebuild.optimize(*self.arguments)
        return "", ""

    def kill(self) -> None:
        self.returncode = -9


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "start", started_here)


def started_here(copied: Path, dimension: int, settings: IndexSettings) -> Here:
    if settings.quantization == "none":
        rebuild.unquantized(copied)
    return Here(copied, dimension, settings)


@pytest.fixture
def open_here(tmp_path: Path) -> Iterator[Open]:
    stores: list[EdgeStore] = []

    def open_store(index: IndexSettings = SMALL) -> EdgeStore:
        stores.append(EdgeStore(tmp_path / "shard", DIMENSION, index))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def store(open_here: Open) -> EdgeStore:
    store = open_here()
    store.upsert(make_points(500))
    store.flush()
    return store


def in_graph(store: EdgeStore) -> int:
    info = store._shard.info()
    return int(info.indexed_vectors_count - info.points_count)


def found(store: EdgeStore) -> list[tuple[Any, ...]]:
    asked = make_points(10, seed=1)
    answers = [store.candidates(point.dense, point.sparse, 10) for point in asked]
    return [(each.ids, each.dense.round(5).tolist(), each.bm25.round(4).tolist(), each.unseen) for each in answers]


def leftovers(store: EdgeStore) -> list[str]:
    kept = {*PARTS, "owner.json", "owner.lock", "index.json"}
    return sorted(path.name for path in store.folder.iterdir() if path.name not in kept)


def meanwhile(store: EdgeStore, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Optimize, and do something while the copy is being worked on."""
    started, go_on = Event(), Event()

    def slow(*arguments: Any) -> Here:
        child = started_here(*arguments)
        started.set()
        assert go_on.wait(60)
        return child

    monkeypatch.setattr(rebuild, "start", slow)
    thread = Thread(target=store.optimize)
    thread.start()
    assert started.wait(120)
    try:
        do()
    finally:
        go_on.set()
        thread.join(60)


def test_another_process_gives_a_large_store_a_graph_and_it_finds_the_same(store: EdgeStore) -> None:
    before, scanned = found(store), [ids for ids, _ in store.scan()]
    assert in_graph(store) == 0
    store.optimize()
    assert in_graph(store) == 500
    assert found(store) == before
    assert [ids for ids, _ in store.scan()] == scanned
    assert leftovers(store) == []


@pytest.mark.usefixtures("here")
def test_what_is_optimized_is_not_optimized_again(store: EdgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.optimize()
    monkeypatch.setattr(rebuild, "copy", lambda _: pytest.fail("copied again"))
    store.optimize()
    store.upsert(make_points(50, first=1000))
    store.optimize()


def test_a_small_store_is_left_as_it_is(open_here: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_here(IndexSettings(pays=501))
    store.upsert(make_points(500))
    monkeypatch.setattr(rebuild, "copy", lambda _: pytest.fail("copied"))
    store.optimize()
    assert in_graph(store) == 0


@pytest.mark.usefixtures("here")
def test_much_that_was_added_or_removed_since_is_taken_in(store: EdgeStore) -> None:
    store.optimize()
    store.upsert(make_points(300, first=1000))
    assert in_graph(store) == 500
    store.optimize()
    assert in_graph(store) == 800
    store.delete([point.id for point in make_points(200)])
    store.optimize()
    assert json.loads((store.folder / "index.json").read_text())["points"] == 600
    assert store.count() == 600


@pytest.mark.usefixtures("here")
def test_an_optimized_store_opens_again(store: EdgeStore, open_here: Open) -> None:
    before = found(store)
    store.optimize()
    store.close()
    again = open_here()
    assert in_graph(again) == 500
    assert found(again) == before


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("index", [IndexSettings(pays=200, quantization="int8"), IndexSettings(pays=200, m=8)])
def test_other_settings_take_effect_when_it_is_optimized_next_and_can_be_taken_back(
    store: EdgeStore, open_here: Open, index: IndexSettings
) -> None:
    store.optimize()
    before = found(store)
    for settings in (index, SMALL):
        store.close()
        store = open_here(settings)
        assert found(store) == before
        store.optimize()
        config = json.loads((store.folder / CONFIG).read_text())
        assert bool(config.get("quantization_config")) == (settings.quantization == "int8")
        assert config["hnsw_config"]["m"] == settings.m
        assert in_graph(store) == 500
        assert found(store) == before


def test_what_is_written_and_asked_meanwhile_is_not_lost(store: EdgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = make_points(500), make_points(30, first=1000, seed=2)

    def write() -> None:
        store.upsert(new)
        store.delete([point.id for point in old[:20]])
        store.update_vectors([old[20].id], old[400].dense[None])
        store.flush()
        assert store.candidates(new[0].dense, new[0].sparse, 1).dense.max() == pytest.approx(1)

    meanwhile(store, monkeypatch, write)
    assert store.count() == 510
    assert store.existing([point.id for point in (*old, *new)]) == {point.id for point in (*old[20:], *new)}
    assert store.vectors([old[20].id]).tolist() == store.vectors([old[400].id]).tolist()
    assert store.fetch([new[3].id]) == [new[3].payload]
    assert in_graph(store) >= 450
    assert leftovers(store) == []


def test_a_store_that_is_closed_meanwhile_stays_as_it_was(
    store: EdgeStore, open_here: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile(store, monkeypatch, store.close)
    assert leftovers(store) == []
    again = open_here()
    assert again.count() == 500
    assert in_graph(again) == 0


def test_a_failure_of_the_other_process_changes_nothing(store: EdgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = found(store)
    start = rebuild.start

    def damaged(copied: Path, *arguments: Any) -> Popen[str]:
        for segment in (copied / "segments").iterdir():
            (segment / "segment.json").write_text("{")
        return start(copied, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(rebuild, "start", damaged)
        with pytest.raises(StoreError, match="could not be optimized") as caught:
            store.optimize()
    assert "nothing is lost" in caught.value.fix
    assert found(store) == before
    assert leftovers(store) == []


def test_a_disk_without_space_for_a_copy_is_told_before_anything_is_done(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(store.folder)._replace(free=1 << 20)
    with monkeypatch.context() as patch:
        patch.setattr(rebuild.shutil, "disk_usage", lambda _: usage)
        with pytest.raises(StoreError, match=r"needs \d+ MiB for a while, and its disk has 1 MiB"):
            store.optimize()
    assert leftovers(store) == []
    assert store.count() == 500


@pytest.mark.parametrize("moved", [(), ("segments",), ("segments", "wal"), PARTS])
def test_a_replacement_that_was_interrupted_is_finished_when_the_store_is_opened(
    store: EdgeStore, open_here: Open, moved: tuple[str, ...]
) -> None:
    before = found(store)
    copied = rebuild.copy(store.folder)
    rebuild.optimize(copied, DIMENSION, SMALL)
    store.close()
    rebuild.publish(store.folder, copied)
    for name in moved:
        target = store.folder / name
        shutil.rmtree(target) if target.is_dir() else target.unlink()
        (store.folder / BUILT / name).rename(target)
    again = open_here()
    assert (again.count(), in_graph(again)) == (500, 500)
    assert found(again) == before
    assert leftovers(again) == []


def test_a_copy_that_was_not_finished_is_removed_when_the_store_is_opened(store: EdgeStore, open_here: Open) -> None:
    copied = rebuild.copy(store.folder)
    store.close()
    again = open_here()
    assert not copied.exists()
    assert (again.count(), in_graph(again)) == (500, 0)


def test_a_store_without_an_index_of_documents_gets_one(tmp_path: Path) -> None:
    import qdrant_edge as edge

    made = EdgeStore(tmp_path / "shard", DIMENSION)
    assert DOCUMENT in made._shard.info().payload_schema
    made.upsert(make_points(20))
    made._shard.update(edge.UpdateOperation.delete_field_index(DOCUMENT))
    assert DOCUMENT not in made._shard.info().payload_schema
    made.optimize()
    assert DOCUMENT in made._shard.info().payload_schema
    ids = [i for part, _ in made.payloads((), {DOCUMENT: ["document 1"]}) for i in part]
    assert ids == [point.id for point in make_points(20)[5:10]]
    made.close()


def test_counting_looks_at_the_points_once_until_something_is_written(
    store: EdgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.count() == 500
    monkeypatch.setattr(edge_module.edge, "CountRequest", lambda **_: pytest.fail("counted again"))
    assert store.count() == 500
    monkeypatch.undo()
    store.delete([make_points(1)[0].id])
    assert store.count() == 499
