"""Choosing a store: embedded by default, a server by one setting."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from indexes.errors import SettingsError
from indexes.slice import OpenStore
from indexes.store.base import Store
from indexes.store.cluster import ClusterSettings
from indexes.store.connection import Connection
from indexes.store.index import IndexSettings

MEMORY = ":memory:"
SHARD = "shard"


def opener(
    url: str = "",
    api_key: str = "",
    timeout: float = 10.0,
    prefix: str = "symposia-",
    *,
    grpc: bool = False,
    grpc_port: int = 6334,
    index: IndexSettings | None = None,
    cluster: ClusterSettings | None = None,
) -> OpenStore:
    """A function ``(slice name, slice folder, dimension) -> Store``.

    Parameters
    ----------
    url
        Empty for the embedded engine, ``http(s)://host:port`` for a Qdrant server, ``:memory:`` for tests.
    api_key, timeout
        Of the server; the timeout is in seconds.
    prefix
        Put in front of a slice's name to name its collection.
    grpc, grpc_port
        Whether to talk gRPC to the server, and its port for that.
    index
        How indexes are built and searched.
    cluster
        How a server spreads collections.
    """
    index, cluster = index or IndexSettings(), cluster or ClusterSettings()
    if not url:
        return partial(_embedded, index)
    if url == MEMORY:
        from qdrant_client import QdrantClient

        # The in-memory mode has no indexes, and warns about each setting of one.
        return partial(_served, Connection(QdrantClient(MEMORY)), prefix, None, cluster)
    if not url.startswith(("http://", "https://")):
        raise SettingsError(
            f"[store] url is {url!r}, which is no address of a Qdrant server.",
            "Write it as http://localhost:6333, or leave it empty for the embedded store.",
        )
    return partial(_served, connect(url, api_key, timeout, grpc=grpc, grpc_port=grpc_port), prefix, index, cluster)


def connect(
    url: str, api_key: str = "", timeout: float = 10.0, *, grpc: bool = False, grpc_port: int = 6334
) -> Connection:
    """A connection to a server; nothing is asked of it yet."""
    from qdrant_client import QdrantClient

    client = QdrantClient(
        url=url,
        api_key=api_key or None,
        timeout=max(1, round(timeout)),
        prefer_grpc=grpc,
        grpc_port=grpc_port,
        check_compatibility=False,
    )
    return Connection(client, url)


def _embedded(index: IndexSettings, _name: str, folder: Path, dimension: int) -> Store:
    from indexes.store.edge import EdgeStore

    return EdgeStore(folder / SHARD, dimension, index)


def _served(
    connection: Connection,
    prefix: str,
    index: IndexSettings | None,
    cluster: ClusterSettings,
    name: str,
    _folder: Path,
    dimension: int,
) -> Store:
    from indexes.store.server import ServerStore, common

    if cluster.sharding == "expert":
        collection = common(prefix, dimension)
        return ServerStore(connection, collection, dimension, index=index, cluster=cluster, key=name)
    return ServerStore(connection, prefix + name, dimension, index=index, cluster=cluster)
