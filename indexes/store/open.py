"""Choosing a store: embedded by default, a server by one setting."""

from __future__ import annotations

from pathlib import Path

from indexes.errors import SettingsError
from indexes.slice import OpenStore
from indexes.store.base import Store

MEMORY = ":memory:"
SHARD = "shard"


def opener(url: str = "", api_key: str = "", timeout: float = 10.0, prefix: str = "symposia-") -> OpenStore:
    """A function ``(slice name, slice folder, dimension) -> Store``.

    Parameters
    ----------
    url
        Empty for the embedded engine, ``http(s)://host:port`` for a Qdrant server, ``:memory:`` for tests.
    api_key, timeout
        Of the server; the timeout is in seconds.
    prefix
        Put in front of a slice's name to name its collection.
    """
    if not url:
        return _embedded
    if url != MEMORY and not url.startswith(("http://", "https://")):
        raise SettingsError(
            f"[store] url is {url!r}, which is no address of a Qdrant server.",
            "Write it as http://localhost:6333, or leave it empty for the embedded store.",
        )
    from qdrant_client import QdrantClient

    from indexes.store.server import ServerStore

    client = (
        QdrantClient(MEMORY)
        if url == MEMORY
        else QdrantClient(url=url, api_key=api_key or None, timeout=max(1, round(timeout)), check_compatibility=False)
    )
    return lambda name, _folder, dimension: ServerStore(client, prefix + name, dimension)


def _embedded(_name: str, folder: Path, dimension: int) -> Store:
    from indexes.store.edge import EdgeStore

    return EdgeStore(folder / SHARD, dimension)
