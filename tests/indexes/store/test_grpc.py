"""What gRPC's own errors mean to the store; the contract itself runs over gRPC in ``test_contract``."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from indexes.errors import StoreError
from indexes.store.base import Point
from indexes.store.connection import Connection, RefusedError
from indexes.store.open import connect
from indexes.store.server import ServerStore
from tests.fakes import DIMENSION
from tests.indexes.fake_grpc import FakeGrpc

BUSY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)


@pytest.fixture
def fake() -> Iterator[FakeGrpc]:
    fake = FakeGrpc()
    yield fake
    fake.close()


@pytest.fixture
def store(fake: FakeGrpc) -> ServerStore:
    client = connect("http://127.0.0.1:6333", timeout=30, grpc=True, grpc_port=fake.port).client
    return ServerStore(Connection(client, "http://127.0.0.1:6333", pauses=(0.0, 0.0)), "symposia-orchard", DIMENSION)


@pytest.mark.parametrize("code", BUSY)
def test_a_busy_server_is_asked_again(
    fake: FakeGrpc, store: ServerStore, points: list[Point], code: grpc.StatusCode
) -> None:
    fake.faults = [("Upsert", code)] * 2 + [("QueryBatch", code)]
    store.upsert(points)
    assert fake.asked["Upsert"] == 3
    assert store.candidates(points[0].dense, points[0].sparse, 5).ids
    assert store.count() == len(points)


def test_a_server_that_stays_away_is_a_store_error(fake: FakeGrpc, store: ServerStore, points: list[Point]) -> None:
    fake.faults = [("Upsert", grpc.StatusCode.UNAVAILABLE)] * 3
    with pytest.raises(StoreError, match=r"did not answer .* \(store passages\): as the test wants it"):
        store.upsert(points)


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, 401, "refused the key"),
        (grpc.StatusCode.NOT_FOUND, 404, "has nothing of that name"),
        (grpc.StatusCode.INVALID_ARGUMENT, 400, "did not accept"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 408, "did not answer"),
        (grpc.StatusCode.INTERNAL, 0, "did not answer"),
    ],
)
def test_what_will_not_pass_is_told_and_not_asked_again(
    fake: FakeGrpc, store: ServerStore, points: list[Point], code: grpc.StatusCode, status: int, said: str
) -> None:
    fake.faults = [("Upsert", code)]
    with pytest.raises(RefusedError, match=said) as caught:
        store.upsert(points)
    assert caught.value.status == status
    assert fake.asked["Upsert"] == 1
