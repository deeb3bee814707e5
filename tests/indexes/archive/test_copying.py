from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexes.archive import copying
from indexes.archive.copying import copy_slice
from indexes.errors import SliceError, StoreError
from indexes.generations import opened
from indexes.manifest import Manifest
from indexes.slice import OpenStore, Slice
from indexes.store.base import Store
from indexes.store.open import opener
from tests.fakes import WordEncoder
from tests.indexes.archive.conftest import nudge, points_of, state_of
from tests.indexes.fake_qdrant import FakeQdrant


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeQdrant]:
    server = FakeQdrant()
    yield server
    server.close()


@pytest.fixture(params=["memory", "rest"])
def server(request: pytest.FixtureRequest, fake: FakeQdrant, tmp_path: Path) -> OpenStore:
    """An empty server of each kind."""
    return opener(":memory:") if request.param == "memory" else opener(fake.url, prefix=f"{tmp_path.name}-")


def store_of(folder: Path, open_store: OpenStore) -> Store:
    return opened(Manifest.read(folder), folder, open_store)


def test_a_slice_goes_to_a_server_and_back_without_being_encoded(
    slices: Path, embedded: OpenStore, server: OpenStore, tmp_path: Path
) -> None:
    nudge(slices / "birds", embedded)
    before = state_of(slices / "birds", embedded)
    done = copy_slice(slices / "birds", embedded, server)
    assert (done.points, done.written, done.removed, done.compared) == (24, 24, 0, 16)
    assert state_of(slices / "birds", embedded) == before
    encoder = WordEncoder()
    there = Slice.open(slices / "birds", encoder, server)
    assert encoder.passages == 0
    for ours, theirs in zip(points_of(slices / "birds", embedded), points_of(slices / "birds", server), strict=True):
        assert (ours.id, ours.payload) == (theirs.id, theirs.payload)
        np.testing.assert_allclose(ours.dense, theirs.dense, rtol=0, atol=1e-6)
    there.close()
    (slices / "birds" / "shard").rename(tmp_path / "away")
    assert copy_slice(slices / "birds", server, embedded).written == 24
    assert [p.id for p in points_of(slices / "birds", embedded)] == [p.id for p in points_of(slices / "birds", server)]


def test_a_second_time_writes_nothing(slices: Path, embedded: OpenStore, server: OpenStore) -> None:
    copy_slice(slices / "birds", embedded, server)
    assert copy_slice(slices / "birds", embedded, server).written == 0


def test_after_an_interruption_it_goes_on(
    slices: Path, embedded: OpenStore, server: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH", 5)

    def stop(count: int) -> None:
        if count == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_slice(slices / "birds", embedded, server, on_progress=stop)
    done = copy_slice(slices / "birds", embedded, server)
    assert (done.points, done.written) == (24, 14)


def test_a_passage_that_has_changed_since_is_written_again(
    slices: Path, embedded: OpenStore, server: OpenStore
) -> None:
    copy_slice(slices / "birds", embedded, server)
    there = store_of(slices / "birds", server)
    point = points_of(slices / "birds", server)[3]
    there.upsert([replace(point, dense=-point.dense)])
    there.upsert([replace(points_of(slices / "birds", server)[5], payload={})])
    assert copy_slice(slices / "birds", embedded, server).written == 2


def test_passages_that_are_not_the_slices_are_told_and_removed_only_when_asked(
    slices: Path, embedded: OpenStore, server: OpenStore
) -> None:
    copy_slice(slices / "birds", embedded, server)
    here = store_of(slices / "birds", embedded)
    gone = [point.id for batch in here.records() for point in batch][:7]
    here.delete(gone)
    here.flush()
    here.close()
    with pytest.raises(StoreError, match="holds 7 passages under the name of 'birds' that the slice does not have"):
        copy_slice(slices / "birds", embedded, server)
    assert len(points_of(slices / "birds", server)) == 24
    assert copy_slice(slices / "birds", embedded, server, replacing=True).removed == 7
    assert [p.id for p in points_of(slices / "birds", server)] == [p.id for p in points_of(slices / "birds", embedded)]


def test_other_generations_are_copied_too(slices: Path, embedded: OpenStore, server: OpenStore) -> None:
    other = replace(Manifest.read(slices / "birds"), generation="abc")
    other.keep(slices / "birds", "slice~abc.json")
    store = opened(other, slices / "birds", embedded)
    store.upsert(points_of(slices / "birds", embedded)[:24])
    store.flush()
    store.close()
    assert copy_slice(slices / "birds", embedded, server).points == 24
    assert opened(other, slices / "birds", server).count() == 24


def test_a_store_that_keeps_something_else_than_it_was_given_is_noticed(
    slices: Path, embedded: OpenStore, memory: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = copying._points

    def spoiled(copied: copying.Copied, source: Store, target: Store, report: copying.Report | None) -> copying.Copied:
        done = real(copied, source, target, report)
        target.upsert([replace(point, payload={}) for batch in source.records() for point in batch])
        return done

    monkeypatch.setattr(copying, "_points", spoiled)
    with pytest.raises(SliceError, match="is not there as it was written"):
        copy_slice(slices / "birds", embedded, memory)


def test_terms_that_were_lost_are_noticed(
    slices: Path, embedded: OpenStore, memory: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from indexes.store.base import SparseVector

    copy_slice(slices / "birds", embedded, memory)
    there = store_of(slices / "birds", memory)
    there.upsert([replace(point, sparse=SparseVector((1,), (1.0,))) for point in points_of(slices / "birds", embedded)])
    with pytest.raises(SliceError, match="The terms of passage"):
        copy_slice(slices / "birds", embedded, memory)


def test_a_slice_whose_passages_are_elsewhere_is_not_copied_as_an_empty_one(
    slices: Path, embedded: OpenStore, memory: OpenStore
) -> None:
    with pytest.raises(StoreError, match="this store holds none of them"):
        copy_slice(slices / "birds", memory, embedded)


def test_a_folder_without_a_slice_is_said_to_be(slices: Path, embedded: OpenStore, memory: OpenStore) -> None:
    with pytest.raises(SliceError, match="There is no slice"):
        copy_slice(slices / "absent", embedded, memory)
