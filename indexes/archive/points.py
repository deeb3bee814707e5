"""A batch of points as bytes: arrays as ``numpy`` reads them, payloads as lines of JSON. Vectors return to the last bit."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import numpy as np
from numpy.typing import NDArray

from indexes.archive.layout import LARGEST_TEXT
from indexes.errors import SliceError
from indexes.store.base import Point, SparseVector

MOST = 1000
"""Points of a batch, at most."""
LARGEST_ARRAYS = 16 << 20
LARGEST_PAYLOADS = 16 << 20

_SHAPES = {"ids": 2, "dense": 2, "starts": 1, "terms": 1, "weights": 1}
_KINDS = {"ids": ("|u1",), "dense": ("<f4",), "starts": ("<i8",), "terms": ("<u4",), "weights": ("<f4", "<f8")}


def batches(points: Iterable[Sequence[Point]], dimension: int) -> Iterator[tuple[bytes, bytes, int]]:
    """The points as arrays, payloads and their number, in batches that are small in memory however long a text is."""
    most = max(1, min(MOST, LARGEST_ARRAYS // (4 * max(1, dimension))))
    rows: list[Point] = []
    lines: list[bytes] = []
    size = 0
    for batch in points:
        for point in batch:
            line = json.dumps(point.payload).encode() + b"\n"
            if len(line) > LARGEST_TEXT:
                raise SliceError(
                    f"Passage {point.id} has {len(line)} bytes of text, more than the {LARGEST_TEXT} of an archive.",
                    "Split its document into passages and add it again.",
                )
            more = len(line) + 12 * len(point.sparse.indices)
            if rows and (len(rows) == most or size + more > LARGEST_PAYLOADS):
                yield pack(rows), _zipped(lines), len(rows)
                rows, lines, size = [], [], 0
            rows.append(point)
            lines.append(line)
            size += more
    if rows:
        yield pack(rows), _zipped(lines), len(rows)


def pack(points: Sequence[Point]) -> bytes:
    """Ids, vectors and terms as an ``.npz`` file that is not compressed."""
    lengths = [len(point.sparse.indices) for point in points]
    weights = np.array([value for point in points for value in point.sparse.values], dtype=np.float64)
    with np.errstate(over="ignore"):
        exact = np.array_equal(weights.astype(np.float32).astype(np.float64), weights)
    arrays: dict[str, NDArray[Any]] = {
        "ids": np.frombuffer(b"".join(UUID(point.id).bytes for point in points), dtype=np.uint8).reshape(-1, 16),
        "dense": np.stack([point.dense for point in points]).astype("<f4", copy=False),
        "starts": np.concatenate([[0], np.cumsum(lengths)]).astype("<i8"),
        "terms": np.array([term for point in points for term in point.sparse.indices], dtype="<u4"),
        "weights": weights.astype("<f4") if exact else weights.astype("<f8"),
    }
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def unpack(arrays: bytes, payloads: bytes, dimension: int) -> list[Point]:
    """The points of a batch.

    Raises
    ------
    ValueError
        It is not what ``batches`` gives. Whatever the bytes are, memory stays bounded by ``LARGEST_TEXT``.
    """
    try:
        found = _arrays(arrays)
        lines = _unzipped(payloads).splitlines()
        payload = [json.loads(line) for line in lines]
    except (BadZipFile, zlib.error, EOFError, KeyError, TypeError, RecursionError, NotImplementedError) as error:
        raise ValueError(f"a batch of passages cannot be read ({error})") from error
    _check(found, payload, dimension)
    starts, terms, weights = found["starts"].tolist(), found["terms"].tolist(), found["weights"].tolist()
    return [
        Point(
            str(UUID(bytes=found["ids"][row].tobytes())),
            found["dense"][row],
            SparseVector(tuple(terms[start:end]), tuple(weights[start:end])),
            payload[row],
        )
        for row, (start, end) in enumerate(pairwise(starts))
    ]


def _zipped(lines: Sequence[bytes]) -> bytes:
    return gzip.compress(b"".join(lines), compresslevel=6, mtime=0)


def _unzipped(content: bytes) -> bytes:
    machine = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    text = machine.decompress(content, LARGEST_TEXT + 1)
    if len(text) > LARGEST_TEXT or not machine.eof or machine.unused_data:
        raise ValueError("the payloads of a batch are larger than any that is written, or cut short")
    return text


def _arrays(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of an ``.npz`` file; their headers are believed only where the bytes are there."""
    with ZipFile(io.BytesIO(content)) as kept:
        entries = kept.infolist()
        if sorted(entry.filename for entry in entries) != sorted(f"{name}.npy" for name in _SHAPES):
            raise ValueError("a batch of passages holds other arrays than it must")
        if any(entry.compress_type != ZIP_STORED or entry.file_size > len(content) for entry in entries):
            raise ValueError("an array is compressed")
        return {entry.filename.removesuffix(".npy"): _array(entry.filename, kept.read(entry)) for entry in entries}


def _array(filename: str, content: bytes) -> NDArray[Any]:
    name, stream = filename.removesuffix(".npy"), io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError(f"the array {name} has another format")
    shape, fortran, kind = np.lib.format.read_array_header_1_0(stream)
    if kind.str not in _KINDS[name] or len(shape) != _SHAPES[name] or (fortran and len(shape) > 1):
        raise ValueError(f"the array {name} is of another kind")
    return np.frombuffer(content, dtype=kind, offset=stream.tell()).reshape(shape)


def _check(found: dict[str, NDArray[Any]], payload: list[Any], dimension: int) -> None:
    count, starts = len(payload), found["starts"]
    if found["ids"].shape != (count, 16) or found["dense"].shape != (count, dimension) or starts.shape != (count + 1,):
        raise ValueError("the arrays of a batch differ in length")
    terms = len(found["terms"])
    if len(found["weights"]) != terms or starts[0] != 0 or starts[-1] != terms or np.any(np.diff(starts) < 0):
        raise ValueError("the terms of a batch are no lists")
    if not all(isinstance(each, dict) for each in payload):
        raise ValueError("a payload is no object")
