"""On whatever is stored, in whatever order and however often, each kind of store gives the same candidates.

Two things are left out, because Qdrant's engine takes the rarity of words from its index, and the client's in-memory mode, which
answers for the fake, from the points: passages without any term, which the engine does not count, and passages that
were deleted, which it counts until their segment is made anew.
"""

from __future__ import annotations

import random
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes.store.base import Candidates, Point, SparseVector, Vectors
from indexes.store.edge import EdgeStore
from indexes.store.open import opener
from tests.indexes.fake_qdrant import FakeQdrant
from tests.indexes.store.conftest import CLUSTER

DIMENSION = 8
TERMS = st.dictionaries(st.integers(0, 12), st.sampled_from([0.5, 1.0, 1.5]), min_size=1, max_size=5)
NOTHING = SparseVector((), ())


@st.composite
def points(draw: st.DrawFn) -> list[Point]:
    """Points of which some are alike, so that many scores are equal."""
    seed = draw(st.integers(0, 1000))
    kinds = np.random.default_rng(seed).standard_normal((draw(st.integers(1, 12)), DIMENSION)).astype(np.float32)
    kinds /= np.linalg.norm(kinds, axis=1, keepdims=True)
    rows = draw(st.lists(st.tuples(st.integers(0, len(kinds) - 1), TERMS), min_size=1, max_size=30))
    return [
        Point(str(UUID(int=n + 1)), kinds[kind], sparse(terms), {"text": str(n)})
        for n, (kind, terms) in enumerate(rows)
    ]


def sparse(terms: dict[int, float]) -> SparseVector:
    return SparseVector(tuple(sorted(terms)), tuple(terms[term] for term in sorted(terms)))


def vector_of(seed: int) -> Vectors:
    vector = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def same(one: Candidates, other: Candidates) -> None:
    assert one.ids == other.ids
    assert one.unseen == other.unseen
    np.testing.assert_allclose(one.dense, other.dense, atol=1e-5)
    np.testing.assert_allclose(one.bm25, other.bm25, atol=1e-4)
    assert abs(one.attainable - other.attainable) < 1e-4


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stored=points(),
    asked=st.lists(st.tuples(st.integers(0, 1000), TERMS, st.integers(1, 35)), min_size=1, max_size=3),
    order=st.randoms(use_true_random=False),
    gone=st.sets(st.integers(0, 29)),
)
def test_embedded_server_and_cluster_agree(
    tmp_path: Path,
    rest: FakeQdrant,
    stored: list[Point],
    asked: list[tuple[int, dict[int, float], int]],
    order: random.Random,
    gone: set[int],
) -> None:
    name = uuid4().hex
    embedded = EdgeStore(tmp_path / name, DIMENSION)
    served = opener(rest.url)(name, tmp_path, DIMENSION)
    spread = opener(rest.url, cluster=CLUSTER)(name, tmp_path, DIMENSION)
    try:
        shuffled = list(stored)
        order.shuffle(shuffled)
        for store, batches in ((embedded, [stored]), (served, [shuffled]), (spread, [shuffled[::2], shuffled])):
            for batch in batches:
                store.upsert(batch)
        for seed, terms, depth in asked:
            expected = embedded.candidates(vector_of(seed), sparse(terms), depth)
            same(expected, served.candidates(vector_of(seed), sparse(terms), depth))
            same(expected, spread.candidates(vector_of(seed), sparse(terms), depth))
        for store in (embedded, served, spread):
            store.delete([stored[n].id for n in gone if n < len(stored)])
        kept = [point.id for n, point in enumerate(stored) if n not in gone]
        for seed, _, depth in asked:
            expected = embedded.candidates(vector_of(seed), NOTHING, depth)
            same(expected, served.candidates(vector_of(seed), NOTHING, depth))
            same(expected, spread.candidates(vector_of(seed), NOTHING, depth))
        for store in (embedded, served, spread):
            assert [point.id for part in store.records(7) for point in part] == kept
            assert store.count() == len(kept)
    finally:
        for store in (embedded, served, spread):
            store.drop()
