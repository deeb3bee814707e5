"""A server that is slow, busy, breaks off, or writes half: the store recovers or reports, and loses and doubles nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes.errors import SliceError, StoreError
from indexes.store import connection as connection_module
from indexes.store import server as server_module
from indexes.store.base import Point
from indexes.store.connection import Connection, RefusedError
from indexes.store.index import IndexSettings
from indexes.store.open import connect
from indexes.store.server import ServerStore
from tests.fakes import DIMENSION
from tests.indexes.fake_qdrant import EMPTY, GARBAGE, RESET, SLOW, FakeQdrant, Fault
from tests.indexes.store.conftest import make_points

NAME = "symposia-orchard"
UPSERT, QUERY = "PUT points", "POST points/query/batch"
CALLS: dict[str, Callable[[ServerStore, Point], object]] = {
    "PUT points": lambda store, point: store.upsert([point]),
    "PUT points/vectors": lambda store, point: store.update_vectors([point.id], point.dense[None]),
    "POST points": lambda store, point: store.existing([point.id]),
    "POST points/delete": lambda store, _: store.delete(["5f0c8f6e-2b43-5d0a-9c55-7d1b1c6a3e21"]),
    "POST points/scroll": lambda store, _: [part for part, _ in store.scan()],
    "POST points/query/batch": lambda store, point: store.candidates(point.dense, point.sparse, 5),
    "POST points/count": lambda store, _: store.count(),
}
Make = Callable[..., FakeQdrant]


@pytest.fixture
def make_fake() -> Iterator[Make]:
    fakes: list[FakeQdrant] = []

    def make(**settings: str | int) -> FakeQdrant:
        fakes.append(FakeQdrant(**settings))  # type: ignore[arg-type]
        return fakes[-1]

    yield make
    for fake in fakes:
        fake.close()


@pytest.fixture
def fake(make_fake: Make) -> FakeQdrant:
    return make_fake()


def open_store(fake: FakeQdrant, timeout: float = 30, api_key: str = "", **named: IndexSettings) -> ServerStore:
    connection = Connection(connect(fake.url, api_key, timeout).client, fake.url, pauses=(0.0, 0.0, 0.0))
    return ServerStore(connection, NAME, DIMENSION, **named)  # type: ignore[arg-type]


def ids(store: ServerStore) -> list[str]:
    return [i for part, _ in store.scan() for i in part]


@pytest.mark.parametrize("action", CALLS)
@pytest.mark.parametrize("kind", [429, 502, 503, 504, RESET])
def test_a_server_that_is_busy_or_breaks_off_is_asked_again(
    fake: FakeQdrant, points: list[Point], action: str, kind: int | str
) -> None:
    store = open_store(fake)
    store.upsert(points)
    before = ids(store)
    fake.asked.clear()
    fake.faults = [Fault(kind, action)] * 3
    CALLS[action](store, points[0])
    assert fake.asked[action] == 4
    assert ids(store) == before


@pytest.mark.parametrize("kind", [503, RESET])
def test_a_fourth_failure_is_a_store_error_that_says_what_failed_and_where(
    fake: FakeQdrant, points: list[Point], kind: int | str
) -> None:
    store = open_store(fake)
    fake.faults = [Fault(kind, UPSERT)] * 4
    with pytest.raises(StoreError, match=f"server at {fake.url} did not answer .*{NAME!r} .store passages.") as caught:
        store.upsert(points)
    assert "nothing is stored twice" in caught.value.fix
    store.upsert(points)
    assert ids(store) == sorted(point.id for point in points)


@pytest.mark.parametrize("kind", [400, 404, 500, GARBAGE, EMPTY])
def test_what_will_not_pass_is_not_asked_again(fake: FakeQdrant, points: list[Point], kind: int | str) -> None:
    store = open_store(fake)
    store.upsert(points)
    for action, call in CALLS.items():
        fake.asked.clear()
        fake.faults = [Fault(kind, action)]
        with pytest.raises(StoreError, match=fake.url):
            call(store, points[0])
        assert fake.asked[action] == 1
    assert ids(store) == sorted(point.id for point in points)


def test_a_pause_that_the_server_asks_for_is_kept(
    fake: FakeQdrant, points: list[Point], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(fake)
    slept: list[float] = []
    monkeypatch.setattr(connection_module.time, "sleep", slept.append)
    fake.faults = [
        Fault(429, UPSERT, headers={"Retry-After": "7"}),
        Fault(429, UPSERT, headers={"Retry-After": "3600"}),
        Fault(429, UPSERT),
    ]
    store.upsert(points[:1])
    assert slept == [7.0, 30.0, 0.0]


@pytest.mark.parametrize("written", [1, 7, 23])
def test_a_batch_that_was_written_in_part_is_repeated_as_a_whole(
    fake: FakeQdrant, points: list[Point], written: int
) -> None:
    store = open_store(fake)
    fake.faults = [Fault(503, UPSERT, written=written)]
    store.upsert(points)
    assert ids(store) == sorted(point.id for point in points)
    assert [len(asked.body["points"]) for asked in fake.of(UPSERT)] == [len(points)] * 2


def test_a_batch_that_stayed_half_written_is_completed_by_adding_it_again(
    fake: FakeQdrant, points: list[Point]
) -> None:
    store = open_store(fake)
    fake.faults = [Fault(500, UPSERT, written=9)]
    with pytest.raises(StoreError, match="500"):
        store.upsert(points)
    assert store.count() == 9
    store.upsert(points)
    assert ids(store) == sorted(point.id for point in points)
    before = open_store(fake).candidates(points[0].dense, points[0].sparse, 5)
    assert store.candidates(points[0].dense, points[0].sparse, 5).ids == before.ids


def test_an_answer_that_comes_too_late_is_a_store_error_and_a_rerun_completes(
    fake: FakeQdrant, points: list[Point]
) -> None:
    store = open_store(fake, timeout=1)
    fake.faults = [Fault(SLOW, UPSERT, seconds=2.5)]
    with pytest.raises(StoreError, match="timed out") as caught:
        store.upsert(points)
    assert "timeout" in caught.value.fix
    assert fake.asked[UPSERT] == 1
    patient = open_store(fake)
    patient.upsert(points)
    assert ids(patient) == sorted(point.id for point in points)


def test_large_batches_go_in_messages_that_a_server_takes(make_fake: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    points = make_points()
    fake = make_fake(most_bytes=12_000)
    monkeypatch.setattr(server_module, "LARGEST", 12_000)
    store = open_store(fake)
    store.upsert(points)
    assert len(fake.of(UPSERT)) > 2
    assert ids(store) == sorted(point.id for point in points)
    before = dict(zip(ids(store), np.concatenate([part for _, part in store.scan()]).tolist(), strict=True))
    store.update_vectors([p.id for p in points], np.stack([-p.dense for p in points]))
    assert len(fake.of("PUT points/vectors")) > 1
    assert not np.allclose([*before.values()], np.concatenate([part for _, part in store.scan()]))


def test_a_batch_that_is_too_large_all_the_same_is_halved_until_it_fits(make_fake: Make, points: list[Point]) -> None:
    fake = make_fake(most_bytes=9_000)
    store = open_store(fake)
    store.upsert(points)
    assert ids(store) == sorted(point.id for point in points)
    assert len(fake.of(UPSERT)) > 3


def test_a_passage_that_is_too_large_alone_is_reported(make_fake: Make, points: list[Point]) -> None:
    store = open_store(make_fake(most_bytes=500))
    with pytest.raises(StoreError, match="takes no message that large") as caught:
        store.upsert(points[:2])
    assert "max_request_size_mb" in caught.value.fix


@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_key_that_is_refused_is_told_as_such(make_fake: Make, key: str) -> None:
    fake = make_fake(api_key="right")
    with pytest.raises(RefusedError, match=f"{fake.url} refused the key .*Must provide an API key") as caught:
        open_store(fake, api_key=key)
    assert "[store] api_key" in caught.value.fix
    assert caught.value.status == 401


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_the_right_key_is_sent(make_fake: Make, points: list[Point]) -> None:
    store = open_store(make_fake(api_key="right"), api_key="right")
    store.upsert(points)
    assert store.count() == len(points)


def test_a_collection_that_was_removed_is_told_as_such(fake: FakeQdrant, points: list[Point]) -> None:
    store = open_store(fake)
    store.drop()
    with pytest.raises(RefusedError, match="has nothing of that name") as caught:
        store.upsert(points)
    assert "Restore a backup" in caught.value.fix
    assert caught.value.status == 404


def test_a_collection_of_another_dimension_is_told_when_it_is_opened(fake: FakeQdrant) -> None:
    open_store(fake)
    connection = Connection(connect(fake.url).client, fake.url)
    with pytest.raises(SliceError, match=f"holds vectors of {DIMENSION} numbers, and the encoder gives 384") as caught:
        ServerStore(connection, NAME, 384)
    assert "Another encoder" in caught.value.fix


def test_a_collection_of_somebody_else_is_left_alone(fake: FakeQdrant) -> None:
    from qdrant_client import models

    unnamed = models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE)
    fake.engine.create_collection(NAME, vectors_config=unnamed)
    with pytest.raises(SliceError, match="was not made by Symposia"):
        open_store(fake)


@pytest.mark.parametrize(("version", "fine"), [("1.9.7", False), ("0.11.0", False), ("1.10.0", True), ("2.0.1", True)])
def test_a_server_that_is_too_old_is_told_as_such(make_fake: Make, version: str, fine: bool) -> None:
    fake = make_fake(version=version)
    if fine:
        open_store(fake)
        return
    with pytest.raises(StoreError, match=f"is version {version}; 1.10 or later is needed") as caught:
        open_store(fake)
    assert "docker pull" in caught.value.fix


@pytest.mark.parametrize("action", ["PUT ", "GET exists", "GET ", "PUT index"])
def test_opening_goes_on_where_an_answer_was_lost(fake: FakeQdrant, points: list[Point], action: str) -> None:
    fake.faults = [Fault(RESET, action)]
    store = open_store(fake, index=IndexSettings())
    store.upsert(points)
    assert store.count() == len(points)
    assert fake.asked[action] == 2


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(
        st.one_of(
            st.builds(Fault, st.sampled_from([429, 502, 503, RESET]), st.just(UPSERT)),
            st.builds(Fault, st.sampled_from([500, 503]), st.just(UPSERT), st.integers(0, 20)),
        ),
        max_size=8,
    ),
    batch=st.integers(1, 24),
)
def test_whatever_goes_wrong_adding_again_completes_with_nothing_lost_or_doubled(
    rest: FakeQdrant, points: list[Point], faults: list[Fault], batch: int
) -> None:
    store = open_store(rest)
    rest.faults = list(faults)
    try:
        for _ in range(len(faults) + 1):
            try:
                for start in range(0, len(points), batch):
                    store.upsert(points[start : start + batch])
                break
            except StoreError:
                continue
        assert ids(store) == sorted(point.id for point in points)
    finally:
        rest.faults = []
        store.drop()
