from __future__ import annotations

import gzip
import io
import json
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes.archive import points as module
from indexes.archive.points import batches, pack, unpack
from indexes.errors import SliceError
from indexes.store.base import Point, SparseVector
from tests.indexes.archive.conftest import as_bytes

DIMENSION = 3
TERMS = st.dictionaries(st.integers(0, 2**32 - 1), st.floats(allow_nan=False, allow_infinity=False), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def made_points(draw: st.DrawFn) -> list[Point]:
    """Points with any finite vector, any terms, and any payload, empty ones included."""
    ids = draw(st.lists(st.uuids(), unique=True, max_size=12))
    found = []
    for each in ids:
        dense = draw(st.lists(st.floats(width=32, allow_nan=False), min_size=DIMENSION, max_size=DIMENSION))
        terms = draw(TERMS)
        payload = draw(st.dictionaries(st.text(), VALUES, max_size=4))
        sparse = SparseVector(tuple(terms), tuple(terms.values()))
        found.append(Point(str(each), np.array(dense, dtype=np.float32), sparse, payload))
    return found


def point(text: str = "a", number: int = 1) -> Point:
    return Point(
        str(UUID(int=number)), np.ones(DIMENSION, np.float32), SparseVector((1, 5), (0.5, 2.0)), {"text": text}
    )


def zipped(*payloads: Any) -> bytes:
    return gzip.compress(b"".join(json.dumps(each).encode() + b"\n" for each in payloads), mtime=0)


def saved(**changed: Any) -> bytes:
    """The arrays of one point, some of them changed or left out."""
    with np.load(io.BytesIO(pack([point()]))) as kept:
        arrays = {**dict(kept), **changed}
    content = io.BytesIO()
    np.savez(content, **{name: array for name, array in arrays.items() if array is not None})
    return content.getvalue()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(made_points())
def test_points_come_back_to_the_last_bit(points: list[Point]) -> None:
    back = [
        point for arrays, payloads, _ in batches([points], DIMENSION) for point in unpack(arrays, payloads, DIMENSION)
    ]
    assert [as_bytes(point) for point in back] == [as_bytes(point) for point in points]


def test_a_long_text_ends_a_batch_so_that_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_PAYLOADS", 3000)
    points = [point("x" * 1000, number) for number in range(1, 8)]
    assert [count for _, _, count in batches([points], DIMENSION)] == [2, 2, 2, 1]


def test_batches_hold_a_thousand_points_at_most_whatever_they_come_in() -> None:
    points = [point(number=number) for number in range(1, 2502)]
    assert [count for _, _, count in batches([points[:5], points[5:]], DIMENSION)] == [1000, 1000, 501]


def test_a_text_that_could_not_be_read_again_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_TEXT", 500)
    with pytest.raises(SliceError, match="more than the 500 of an archive"):
        list(batches([[point("x" * 1000)]], DIMENSION))


def test_payloads_that_unpack_to_more_than_any_that_is_written_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_TEXT", 1 << 20)
    bomb = gzip.compress(bytes(64 << 20))
    with pytest.raises(ValueError, match="larger than any"):
        unpack(pack([point()]), bomb, DIMENSION)


def test_a_header_that_claims_more_than_is_there_is_not_believed() -> None:
    claimed = bytearray(saved())
    place = claimed.index(b"'shape': (1, 3), ")
    claimed[place : place + 17] = b"'shape': (9**9,),"
    with pytest.raises(ValueError, match=r"."):
        unpack(bytes(claimed), zipped({}), DIMENSION)


@pytest.mark.parametrize(
    "arrays",
    [
        b"",
        b"no zip",
        saved(weights=None),
        saved(more=np.zeros(3)),
        saved(dense=np.zeros((1, 4), np.float32)),
        saved(dense=np.zeros((2, 3), np.float32)),
        saved(dense=np.zeros((1, 3), np.float64)),
        saved(dense=np.array([[{}, {}, {}]], dtype=object)),
        saved(ids=np.zeros((1, 15), np.uint8)),
        saved(starts=np.array([0, 3])),
        saved(starts=np.array([1, 2])),
        saved(starts=np.array([0, 5, 2])),
        saved(terms=np.zeros(1, np.uint32)),
    ],
)
def test_arrays_that_are_no_batch_are_refused(arrays: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(arrays, zipped({}), DIMENSION)


@pytest.mark.parametrize(
    "payloads",
    [
        b"",
        b"no gzip",
        zipped(),
        zipped({}, {}),
        zipped([]),
        zipped({})[:-4],
        zipped({}) + b"x",
        gzip.compress(b"{", mtime=0),
        gzip.compress(b"[" * 100_000 + b"\n", mtime=0),
    ],
)
def test_payloads_that_are_no_batch_are_refused(payloads: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(pack([point()]), payloads, DIMENSION)


def test_arrays_that_are_compressed_are_refused() -> None:
    content = io.BytesIO()
    with np.load(io.BytesIO(pack([point()]))) as kept:
        np.savez_compressed(content, **dict(kept))
    with pytest.raises(ValueError, match="compressed"):
        unpack(content.getvalue(), zipped({}), DIMENSION)
