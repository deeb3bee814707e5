"""The cluster path. No cluster runs here: these tests see that what a cluster is asked for reaches a server's interface as it
should, and that a server which keeps the points of each shard key apart, as the fake does, gives each expert its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexes.store.base import DOCUMENT, Candidates, Point, Store
from indexes.store.cluster import ClusterSettings
from indexes.store.index import IndexSettings
from indexes.store.open import opener
from tests.fakes import DIMENSION
from tests.indexes.fake_qdrant import Asked, FakeQdrant
from tests.indexes.store.conftest import BM25

SPREAD = ClusterSettings(shards=6, replicas=3, write_consistency=2, read_consistency="quorum")
EXPERTS = ClusterSettings(shards=2, replicas=3, write_consistency=2, read_consistency="majority", sharding="expert")
WRITES = ("PUT points", "PUT points/vectors", "POST points/delete")
READS = ("POST points", "POST points/scroll", "POST points/query/batch")


@pytest.fixture
def fake() -> Iterator[FakeQdrant]:
    fake = FakeQdrant()
    yield fake
    fake.close()


def open_store(fake: FakeQdrant, name: str, cluster: ClusterSettings, index: IndexSettings | None = None) -> Store:
    return opener(fake.url, timeout=30, cluster=cluster, index=index)(name, Path("unused"), DIMENSION)


def use(store: Store, points: list[Point]) -> Candidates:
    """Call all that there is."""
    store.upsert(points)
    store.update_vectors([points[0].id], points[0].dense[None])
    store.delete([points[1].id])
    store.existing([points[0].id])
    store.fetch([points[0].id])
    store.vectors([points[0].id])
    list(store.scan())
    list(store.records())
    list(store.payloads(["text"]))
    store.term_counts()
    store.count()
    return store.candidates(points[0].dense, points[0].sparse, 5)


def keys(asked: Asked) -> set[str | None]:
    return {body.get("shard_key") for body in asked.body.get("searches", [asked.body])}


def test_a_collection_is_created_with_shards_replicas_and_write_consistency(fake: FakeQdrant) -> None:
    open_store(fake, "orchard", SPREAD)
    created = fake.of("PUT ")[0].body
    assert created["shard_number"] == 6
    assert created["replication_factor"] == 3
    assert created["write_consistency_factor"] == 2
    assert "sharding_method" not in created


def test_what_is_not_set_is_left_to_the_server(fake: FakeQdrant) -> None:
    open_store(fake, "orchard", ClusterSettings())
    spread = {"shard_number", "replication_factor", "write_consistency_factor", "sharding_method"}
    assert not spread & fake.of("PUT ")[0].body.keys()


@pytest.mark.parametrize(("cluster", "wanted"), [(SPREAD, "quorum"), (EXPERTS, "majority"), (ClusterSettings(), None)])
def test_reads_ask_for_the_consistency_that_is_set(
    fake: FakeQdrant, points: list[Point], cluster: ClusterSettings, wanted: str | None
) -> None:
    use(open_store(fake, "orchard", cluster), points)
    for action in READS:
        assert {asked.query.get("consistency") for asked in fake.of(action)} == {wanted}


def test_writes_wait_until_they_are_done(fake: FakeQdrant, points: list[Point]) -> None:
    use(open_store(fake, "orchard", SPREAD), points)
    for action in WRITES:
        assert {asked.query["wait"] for asked in fake.of(action)} == {"true"}


def test_all_experts_share_a_collection_in_which_each_has_a_shard_key(fake: FakeQdrant) -> None:
    for name in ("orchard", "engines", "orchard"):
        open_store(fake, name, EXPERTS)
    assert [asked.name for asked in fake.of("PUT ")] == [f"symposia-experts-{DIMENSION}"]
    created = fake.of("PUT ")[0].body
    assert created["sharding_method"] == "custom"
    assert [asked.body for asked in fake.of("PUT shards")] == [
        {"shard_key": name, "shards_number": 2, "replication_factor": 3} for name in ("orchard", "engines")
    ]


def test_every_request_names_the_shard_key(fake: FakeQdrant, points: list[Point]) -> None:
    use(open_store(fake, "orchard", EXPERTS), points)
    for action in (*WRITES, *READS, "POST points/count"):
        assert fake.of(action)
        assert {key for asked in fake.of(action) for key in keys(asked)} == {"orchard"}


def test_no_request_names_a_shard_key_where_each_slice_has_a_collection(fake: FakeQdrant, points: list[Point]) -> None:
    use(open_store(fake, "orchard", SPREAD), points)
    for action in (*WRITES, *READS, "POST points/count"):
        assert {key for asked in fake.of(action) for key in keys(asked)} == {None}


def test_an_expert_finds_what_it_would_find_alone(fake: FakeQdrant, points: list[Point]) -> None:
    """Rarity of words included: the fake keeps each shard key's statistics apart, as a server does for each shard."""
    orchard, engines = (open_store(fake, name, EXPERTS) for name in ("orchard", "engines"))
    alone = open_store(fake, "alone", ClusterSettings())
    orchard.upsert(points[:8])
    alone.upsert(points[:8])
    engines.upsert(points[4:])  # some in both
    for point in points[::5]:
        one, other = (store.candidates(point.dense, point.sparse, 5) for store in (orchard, alone))
        assert one.ids == other.ids
        np.testing.assert_allclose(one.bm25, other.bm25, atol=1e-5)
        assert (one.attainable, one.unseen) == (pytest.approx(other.attainable, abs=1e-4), other.unseen)
    assert orchard.count() == 8
    assert engines.count() == len(points) - 4


def test_removing_an_expert_leaves_the_others(fake: FakeQdrant, points: list[Point]) -> None:
    orchard, engines = (open_store(fake, name, EXPERTS) for name in ("orchard", "engines"))
    orchard.upsert(points)
    engines.upsert(points)
    orchard.drop()
    assert engines.count() == len(points)
    assert open_store(fake, "orchard", EXPERTS).count() == 0


def test_an_index_is_built_and_searched_as_it_is_set(fake: FakeQdrant, points: list[Point]) -> None:
    index = IndexSettings(m=24, ef_construct=200, ef=300, quantization="int8", oversampling=3.0, payload="cold")
    store = open_store(fake, "orchard", ClusterSettings(), index)
    store.upsert(points)
    store.candidates(points[0].dense, BM25.question("codling moths"), 5)
    created = fake.of("PUT ")[0].body
    assert created["hnsw_config"] == {"m": 24, "ef_construct": 200}
    assert created["quantization_config"]["scalar"]["type"] == "int8"
    assert created["on_disk_payload"] is True
    by_meaning = fake.of("POST points/query/batch")[0].body["searches"][0]["params"]
    assert by_meaning["hnsw_ef"] == 300
    assert by_meaning["quantization"] == {"ignore": False, "rescore": True, "oversampling": 3.0}
    assert fake.of("PUT index")[0].body["field_name"] == DOCUMENT
    assert fake.of("PUT index")[0].body["field_schema"]["enable_hnsw"] is False
    open_store(fake, "orchard", ClusterSettings(), index)
    assert len(fake.of("PUT index")) == 1
