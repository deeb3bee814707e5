from __future__ import annotations

import numpy as np

from indexes.adapters.base import Identity, key_of, moved
from tests.fakes import WordEncoder
from tests.indexes.adapters.conftest import rows


def test_the_identity_gives_back_the_very_vectors() -> None:
    vectors, identity = rows(3), Identity.from_arrays({}, WordEncoder())
    assert identity.questions(["a", "b", "c"], vectors) is vectors
    assert identity.passages(["1", "2", "3"], vectors) is vectors
    assert (identity.kind, identity.key, identity.moves_passages, identity.arrays()) == ("identity", "", False, {})


def test_a_key_depends_on_kind_names_types_shapes_and_content_and_on_no_order() -> None:
    a, b = np.arange(6, dtype=np.float32), np.ones(2, dtype=np.float32)
    keys = [
        key_of("linear", {"a": a, "b": b}),
        key_of("nudge", {"a": a, "b": b}),
        key_of("linear", {"a": b, "b": a}),
        key_of("linear", {"a": a.reshape(2, 3), "b": b}),
        key_of("linear", {"a": a.view(np.int32), "b": b}),
        key_of("linear", {"a": np.nextafter(a, np.float32(1)), "b": b}),
        key_of("linear", {"a": a}),
    ]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 16 and int(key, 16) >= 0 for key in keys)
    assert key_of("linear", {"b": b, "a": a.copy()}) == keys[0]
    assert key_of("linear", {"a": np.stack([a, a], axis=1)[:, 0], "b": b}) == keys[0]


def test_a_move_that_cancels_a_vector_leaves_it_where_it_is() -> None:
    vectors = rows(3)
    moves = np.stack([-vectors[0], np.zeros_like(vectors[1]), vectors[2]])
    np.testing.assert_allclose(moved(vectors, moves), vectors, atol=1e-6)
    assert moved(vectors, moves).dtype == np.float32
    assert moved(vectors[:0], moves[:0]).shape == (0, vectors.shape[1])
