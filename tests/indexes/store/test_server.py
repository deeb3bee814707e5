from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from indexes.errors import StoreError
from indexes.store.base import Point
from indexes.store.connection import Connection
from indexes.store.open import connect
from indexes.store.server import ServerStore
from tests.fakes import DIMENSION
from tests.indexes.fake_qdrant import FakeQdrant
from tests.indexes.store.conftest import BM25

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
def connection(fake: FakeQdrant) -> Iterator[Connection]:
    connection = Connection(connect(fake.url).client, fake.url, pauses=(0.01, 0.01))
    yield connection
    connection.client.close()


@pytest.mark.parametrize("call", CALLS)
def test_a_failing_server_is_a_store_error_that_names_the_collection(
    fake: FakeQdrant, connection: Connection, points: list[Point], call: str
) -> None:
    store = ServerStore(connection, NAME, DIMENSION)
    store.upsert(points[:3])
    fake.fault = 503
    with pytest.raises(StoreError, match=f"collection '{NAME}'.*503") as caught:
        CALLS[call](store, points[0])
    assert "Check that the server runs" in caught.value.fix
    fake.fault = None
    assert store.count() == 3


def test_a_server_that_fails_at_opening_is_a_store_error(fake: FakeQdrant, connection: Connection) -> None:
    fake.fault = 500
    with pytest.raises(StoreError, match="did not answer"):
        ServerStore(connection, NAME, DIMENSION)


def test_a_refused_connection_is_a_store_error(points: list[Point]) -> None:
    fake = FakeQdrant()
    connection = Connection(connect(fake.url).client, fake.url, pauses=(0.0,))
    store = ServerStore(connection, NAME, DIMENSION)
    fake.close()
    for call in (partial(CALLS["candidates"], store, points[0]), partial(ServerStore, connection, NAME, DIMENSION)):
        with pytest.raises(StoreError, match="refused") as caught:
            call()
        assert fake.url in caught.value.problem
        assert "[store] url" in caught.value.fix


def test_one_question_is_one_search_request(fake: FakeQdrant, connection: Connection, points: list[Point]) -> None:
    store = ServerStore(connection, NAME, DIMENSION)
    store.upsert(points)
    fake.asked.clear()
    store.candidates(points[0].dense, points[0].sparse, 5)
    assert fake.asked == {"POST points/query/batch": 1}
    store.candidates(points[0].dense, BM25.question("zorblax"), 5)
    assert fake.asked == {"POST points/query/batch": 2, "POST points/count": 1}


def test_a_collection_outlives_the_store_and_not_its_drop(
    fake: FakeQdrant, connection: Connection, points: list[Point]
) -> None:
    store = ServerStore(connection, NAME, DIMENSION)
    store.upsert(points)
    store.close()
    again = ServerStore(connection, NAME, DIMENSION)
    assert again.count() == len(points)
    again.drop()
    assert not fake.engine.collection_exists(NAME)
    assert ServerStore(connection, NAME, DIMENSION).count() == 0


def test_slices_on_one_server_are_apart(connection: Connection, points: list[Point]) -> None:
    one, other = (
        ServerStore(connection, "symposia-one", DIMENSION),
        ServerStore(connection, "symposia-other", DIMENSION),
    )
    one.upsert(points)
    other.upsert(points[:2])
    one.drop()
    assert other.count() == 2
