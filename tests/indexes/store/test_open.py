from __future__ import annotations

from pathlib import Path

import pytest

from indexes.errors import SettingsError
from indexes.store.base import Point
from indexes.store.edge import EdgeStore
from indexes.store.open import MEMORY, SHARD, opener
from indexes.store.server import ServerStore
from tests.fakes import DIMENSION
from tests.indexes.fake_qdrant import FakeQdrant


def test_without_an_address_the_store_is_embedded_in_the_slices_folder(tmp_path: Path, points: list[Point]) -> None:
    store = opener()("orchard", tmp_path, DIMENSION)
    assert isinstance(store, EdgeStore)
    assert store.folder == tmp_path / SHARD
    store.upsert(points[:2])
    assert store.count() == 2
    store.drop()


def test_an_address_is_a_server_and_a_slice_a_collection_of_it(
    tmp_path: Path, rest: FakeQdrant, points: list[Point]
) -> None:
    store = opener(rest.url, prefix="mine-")("orchard", tmp_path, DIMENSION)
    assert isinstance(store, ServerStore)
    store.upsert(points[:2])
    assert rest.engine.count("mine-orchard").count == 2
    assert list(tmp_path.iterdir()) == []
    store.drop()


def test_stores_in_memory_share_it_under_one_opener(tmp_path: Path, points: list[Point]) -> None:
    open_store = opener(MEMORY)
    open_store("orchard", tmp_path, DIMENSION).upsert(points[:2])
    assert open_store("orchard", tmp_path, DIMENSION).count() == 2
    assert opener(MEMORY)("orchard", tmp_path, DIMENSION).count() == 0


@pytest.mark.parametrize("url", ["localhost:6333", "ftp://host", "memory", "https//host"])
def test_what_is_no_address_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="no address of a Qdrant server") as caught:
        opener(url)
    assert "http://localhost:6333" in caught.value.fix
