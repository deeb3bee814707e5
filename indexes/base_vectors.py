"""The encoder's own vectors of a slice whose stored vectors an adapter has moved: one file, appended to."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np

from indexes import atomic
from indexes.encoders.base import Vectors

FILE = "base-vectors.bin"


class BaseVectors:
    """Records of an id (16 bytes) and a vector (float32, little-endian) in ``folder``.

    What ``append`` has returned from survives a killed process. A record that was cut short is overwritten by the next
    one; of several for one id the last counts. Records of passages that the store does not hold (any more, or yet) do
    no harm: whoever reads asks the store.

    Parameters
    ----------
    folder
        Of the slice.
    dimension
        Length of a vector.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self.path = folder / FILE
        self._record = np.dtype([("id", "u1", (16,)), ("vector", "<f4", (dimension,))])

    def append(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Keep vectors ``[len(ids), dimension]``."""
        records = np.zeros(len(ids), dtype=self._record)
        for record, i in zip(records["id"], ids, strict=True):
            record[:] = np.frombuffer(UUID(i).bytes, dtype=np.uint8)
        records["vector"] = vectors
        with self.path.open("ab") as file:
            file.truncate(self._whole() * self._record.itemsize)
            file.write(records.tobytes())
            file.flush()
            os.fsync(file.fileno())

    def batches(self, size: int) -> Iterator[tuple[tuple[str, ...], Vectors]]:
        """All ids and vectors, each id once, in order of id."""
        count = self._whole()
        if count == 0:
            return
        records = np.memmap(self.path, dtype=self._record, mode="r", shape=(count,))
        last = {record.tobytes(): row for row, record in enumerate(records["id"])}
        ids = sorted(last)
        for start in range(0, len(ids), size):
            chosen = ids[start : start + size]
            vectors = np.array(records["vector"][[last[i] for i in chosen]], dtype=np.float32)
            yield tuple(str(UUID(bytes=i)) for i in chosen), vectors

    def remove(self, ids: Sequence[str]) -> None:
        """Forget vectors: the file is written anew without them, whole or not at all."""
        gone = {UUID(i).bytes for i in ids}
        count = self._whole()
        if not count or not gone:
            return
        records = np.fromfile(self.path, dtype=self._record, count=count)
        kept = np.array([record.tobytes() not in gone for record in records["id"]], dtype=bool)
        atomic.write(self.path, records[kept].tobytes(), alone=True)

    def clear(self) -> None:
        """Remove the file."""
        self.path.unlink(missing_ok=True)

    def _whole(self) -> int:
        size = self.path.stat().st_size if self.path.exists() else 0
        return int(size // self._record.itemsize)
