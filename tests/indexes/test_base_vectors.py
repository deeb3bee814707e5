from __future__ import annotations

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.base_vectors import FILE, BaseVectors
from indexes.encoders.base import Vectors

IDS = [str(UUID(int=(n * 7919) % 101 << 60)) for n in range(5)]
VECTORS = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


@pytest.fixture
def kept(tmp_path: Path) -> BaseVectors:
    return BaseVectors(tmp_path, 3)


def read(kept: BaseVectors, size: int = 100) -> dict[str, Vectors]:
    return {i: vector for ids, vectors in kept.batches(size) for i, vector in zip(ids, vectors, strict=True)}


def test_vectors_come_back_bit_for_bit_and_by_id(kept: BaseVectors) -> None:
    kept.append(IDS[:2], VECTORS[:2])
    kept.append(IDS[2:], VECTORS[2:])
    kept.append([], VECTORS[:0])
    assert list(read(kept)) == sorted(IDS)
    for i, vector in zip(IDS, VECTORS, strict=True):
        assert read(kept)[i].tobytes() == vector.tobytes()
    assert [len(ids) for ids, _ in kept.batches(2)] == [2, 2, 1]


def test_the_last_vector_of_an_id_counts(kept: BaseVectors) -> None:
    kept.append([IDS[0], IDS[1], IDS[0]], VECTORS[:3])
    kept.append([IDS[1]], VECTORS[4:])
    assert {i: vector.tolist() for i, vector in read(kept).items()} == {
        IDS[0]: VECTORS[2].tolist(),
        IDS[1]: VECTORS[4].tolist(),
    }


@pytest.mark.parametrize("cut", [1, 16, 27])
def test_a_record_that_was_cut_short_is_overwritten(kept: BaseVectors, cut: int) -> None:
    kept.append(IDS[:2], VECTORS[:2])
    kept.path.write_bytes(kept.path.read_bytes()[:-cut])
    assert list(read(kept)) == IDS[:1]
    kept.append(IDS[2:4], VECTORS[2:4])
    assert set(read(kept)) == {IDS[0], IDS[2], IDS[3]}
    np.testing.assert_array_equal(read(kept)[IDS[3]], VECTORS[3])


def test_nothing_kept_is_nothing_read(kept: BaseVectors) -> None:
    assert read(kept) == {}
    kept.clear()
    kept.append(IDS, VECTORS)
    kept.clear()
    assert (read(kept), kept.path.name, kept.path.exists()) == ({}, FILE, False)


@given(st.lists(st.tuples(st.uuids(), st.floats(-1, 1, width=32)), max_size=20), st.integers(1, 7))
def test_whatever_was_kept_is_read_once_each(
    tmp_path_factory: pytest.TempPathFactory, records: list[tuple[UUID, float]], size: int
) -> None:
    kept = BaseVectors(tmp_path_factory.mktemp("base"), 2)
    kept.append([str(i) for i, _ in records], np.array([[x, 1] for _, x in records], dtype=np.float32).reshape(-1, 2))
    assert {i: vector[0] for i, vector in read(kept, size).items()} == {str(i): np.float32(x) for i, x in records}
    assert all(len(ids) <= size for ids, _ in kept.batches(size))
