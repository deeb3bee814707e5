from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from indexes.errors import StoreError
from indexes.lexical import Bm25, Bm25Settings, average_length
from indexes.store.base import Point, Store
from indexes.store.cluster import ClusterSettings
from indexes.store.connection import Connection
from indexes.store.index import IndexSettings
from indexes.store.open import connect
from tests.fakes import DIMENSION, TOPICS, WordEncoder, make_passages
from tests.indexes.fake_grpc import FakeGrpc
from tests.indexes.fake_qdrant import FakeQdrant

TEXTS = tuple(text for texts in TOPICS.values() for text in texts)
BM25 = Bm25(Bm25Settings(average_length(list(TEXTS))))
SERVER = os.environ.get("QDRANT_URL", "")
KINDS = ("edge", "memory", "rest", "grpc", "cluster", *(["server"] if SERVER else []))
ALIKE = ("rest", "grpc")
"""Kinds that the fast tests leave out: ``cluster`` asks for all that they do, and more."""
INDEX = IndexSettings(m=8, ef_construct=50, quantization="int8")
CLUSTER = ClusterSettings(shards=3, replicas=2, write_consistency=2, read_consistency="majority", sharding="expert")

MakeStore = Callable[[str], Store]


def make_points(texts: tuple[str, ...] = TEXTS) -> list[Point]:
    """One point a text, with vectors that share words where the texts do."""
    vectors = WordEncoder().encode_passages(texts)
    return [
        Point(
            passage.id, vector, BM25.passage(passage.text), {"text": passage.text, "metadata": {"name": "Ünal", "n": 0}}
        )
        for passage, vector in zip(make_passages(texts), vectors, strict=True)
    ]


@pytest.fixture(scope="session")
def points() -> list[Point]:
    """24 points of three topics; treat them as read-only."""
    return make_points()


@pytest.fixture(scope="session")
def rest() -> Iterator[FakeQdrant]:
    """A loopback server that answers as Qdrant does."""
    fake = FakeQdrant()
    yield fake
    fake.close()


@pytest.fixture(scope="session")
def grpc_fake() -> Iterator[FakeGrpc]:
    """A loopback server that answers as Qdrant does over gRPC."""
    fake = FakeGrpc()
    yield fake
    fake.close()


@pytest.fixture
def make_store(tmp_path: Path, rest: FakeQdrant, grpc_fake: FakeGrpc) -> Iterator[MakeStore]:
    """Makes an empty store of a kind; all are removed after the test."""
    stores: list[Store] = []

    def make(kind: str) -> Store:
        stores.append(_make(kind, tmp_path, rest, grpc_fake))
        return stores[-1]

    yield make
    for store in stores:
        with suppress(StoreError, FileNotFoundError):
            store.drop()


@pytest.fixture(params=[pytest.param(kind, marks=pytest.mark.slow) if kind in ALIKE else kind for kind in KINDS])
def store(request: pytest.FixtureRequest, make_store: MakeStore) -> Store:
    """An empty store of each kind."""
    return make_store(request.param)


@pytest.fixture
def filled(store: Store, points: list[Point]) -> Store:
    """A store of each kind with all ``points``."""
    store.upsert(points)
    store.flush()
    return store


def _make(kind: str, folder: Path, rest: FakeQdrant, grpc_fake: FakeGrpc) -> Store:
    from qdrant_client import QdrantClient

    from indexes.store.edge import EdgeStore
    from indexes.store.server import ServerStore

    name = f"symposia-test-{uuid4().hex}"
    if kind == "edge":
        return EdgeStore(folder / name, DIMENSION)
    if kind == "memory":
        return ServerStore(Connection(QdrantClient(":memory:")), name, DIMENSION)
    if kind == "rest":
        return ServerStore(connect(rest.url, timeout=30), name, DIMENSION, index=INDEX)
    if kind == "grpc":
        connection = connect("http://127.0.0.1:6333", timeout=30, grpc=True, grpc_port=grpc_fake.port)
        return ServerStore(connection, name, DIMENSION)
    if kind == "cluster":
        return ServerStore(connect(rest.url, timeout=30), "experts", DIMENSION, index=INDEX, cluster=CLUSTER, key=name)
    return ServerStore(connect(SERVER, os.environ.get("QDRANT_API_KEY", ""), 30), name, DIMENSION)
