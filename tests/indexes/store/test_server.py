from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from qdrant_client import QdrantClient

from indexes.errors import StoreError
from indexes.store.base import Point
from indexes.store.server import ServerStore
from tests.fakes import DIMENSION
from tests.indexes.fake_qdrant import FakeQdrant

NAME = "symposia-orchard"
CALLS: dict[str, Callable[[ServerStore, Point], object]] = {
    "upsert": lambda store, point: store.upsert([point]),
    "delete": lambda store, point: store.delete([point.id]),
    "existing": lambda store, point: store.existing([point.id]),
    "candidates": lambda store, point: store.candidates(point.dense, point.sparse, 5),
    "fetch": lambda store, point: store.fetch([point.id]),
    "scan": lambda store, _: list(store.scan()),
    "count": lambda store, _: store.count(),
    "drop": lambda store, _: store.drop(),
}


@pytest.fixture
def fake() -> Iterator[FakeQdrant]:
    """A server of the test's own, which it may break."""
    fake = FakeQdrant()
    yield fake
    fake.close()


@pytest.fixture
def client(fake: FakeQdrant) -> Iterator[QdrantClient]:
    client = QdrantClient(url=fake.url, timeout=10, check_compatibility=False)
    yield client
    client.close()


@pytest.mark.parametrize("call", CALLS)
def test_a_failing_server_is_a_store_error_that_names_the_collection(
    fake: FakeQdrant, client: QdrantClient, points: list[Point], call: str
) -> None:
    store = ServerStore(client, NAME, DIMENSION)
    store.upsert(points[:3])
    fake.fault = 503
    with pytest.raises(StoreError, match=f"collection '{NAME}'.*503") as caught:
        CALLS[call](store, points[0])
    assert "Check that the server runs" in caught.value.fix
    fake.fault = None
    assert store.count() == 3


def test_a_server_that_fails_at_opening_is_a_store_error(fake: FakeQdrant, client: QdrantClient) -> None:
    fake.fault = 500
    with pytest.raises(StoreError, match="did not answer"):
        ServerStore(client, NAME, DIMENSION)


def test_a_refused_connection_is_a_store_error(points: list[Point]) -> None:
    fake = FakeQdrant()
    client = QdrantClient(url=fake.url, timeout=10, check_compatibility=False)
    store = ServerStore(client, NAME, DIMENSION)
    fake.close()
    client.close()
    client = QdrantClient(url=fake.url, timeout=10, check_compatibility=False)
    for call in (partial(CALLS["candidates"], store, points[0]), partial(ServerStore, client, NAME, DIMENSION)):
        store.client = client
        with pytest.raises(StoreError, match="refused") as caught:
            call()
        assert "[store] url" in caught.value.fix


def test_one_question_is_one_search_request(fake: FakeQdrant, client: QdrantClient, points: list[Point]) -> None:
    store = ServerStore(client, NAME, DIMENSION)
    store.upsert(points)
    fake.asked.clear()
    store.candidates(points[0].dense, points[0].sparse, 5)
    assert fake.asked == {"POST points/query/batch": 1, "POST points/count": 1}


def test_a_collection_outlives_the_store_and_not_its_drop(
    fake: FakeQdrant, client: QdrantClient, points: list[Point]
) -> None:
    store = ServerStore(client, NAME, DIMENSION)
    store.upsert(points)
    store.close()
    again = ServerStore(client, NAME, DIMENSION)
    assert again.count() == len(points)
    again.drop()
    assert not fake.engine.collection_exists(NAME)
    assert ServerStore(client, NAME, DIMENSION).count() == 0


def test_slices_on_one_server_are_apart(client: QdrantClient, points: list[Point]) -> None:
    one, other = ServerStore(client, "symposia-one", DIMENSION), ServerStore(client, "symposia-other", DIMENSION)
    one.upsert(points)
    other.upsert(points[:2])
    one.drop()
    assert other.count() == 2
