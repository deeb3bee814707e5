"""The default store: Qdrant's engine inside this process, one shard in one folder.

Everything that touches ``qdrant_edge`` is in this file and in ``indexes.lexical``, because its API is young.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import qdrant_edge as edge
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from indexes.errors import SliceError, StoreError, SymposiaError
from indexes.store.base import (
    DENSE,
    SPARSE,
    Candidates,
    Found,
    Point,
    SparseVector,
    Vectors,
    counted,
    deepened,
    found_of,
)

OWNER = "owner.json"
LOCK = "owner.lock"


class EdgeStore:
    """A shard in ``folder``; created where the folder has none. One process may hold it at a time.

    The engine locks its write-ahead log too, but only after it has touched the segments of a shard that another process is
    writing, which damages them: hence the lock of our own, taken first.

    Parameters
    ----------
    folder
        Where the shard lies.
    dimension
        Length of the dense vectors.
    """

    def __init__(self, folder: Path, dimension: int) -> None:
        self.folder = folder
        self._dimension = dimension
        self._lock = _lock(folder)
        try:
            self._shard = _open(folder, dimension)
        except SymposiaError:
            self._lock.release()
            raise

    def upsert(self, points: Sequence[Point]) -> None:
        """See ``Store``."""
        rows = [
            edge.Point(
                UUID(p.id),
                {DENSE: p.dense.tolist(), SPARSE: edge.SparseVector(list(p.sparse.indices), list(p.sparse.values))},
                p.payload,
            )
            for p in points
        ]
        if rows:
            self._update(edge.UpdateOperation.upsert_points(rows))

    def update_vectors(self, ids: Sequence[str], vectors: Vectors) -> None:
        """See ``Store``."""
        known = self.existing(ids)  # the engine refuses a batch with an id that it does not have
        rows = [
            edge.PointVectors(UUID(i), {DENSE: vector.tolist()})
            for i, vector in zip(ids, vectors, strict=True)
            if i in known
        ]
        if rows:
            self._update(edge.UpdateOperation.update_vectors(rows))

    def delete(self, ids: Sequence[str]) -> None:
        """See ``Store``."""
        if ids:
            self._update(edge.UpdateOperation.delete_points([UUID(i) for i in ids]))

    def existing(self, ids: Sequence[str]) -> set[str]:
        """See ``Store``."""
        found = self._shard.retrieve([UUID(i) for i in ids], with_payload=False, with_vector=False)
        return {str(record.id) for record in found}

    def candidates(self, dense: Vectors, sparse: SparseVector, depth: int) -> Candidates:
        """See ``Store``. Six or more small queries in one planned batch: about a millisecond in all."""
        found = deepened(lambda limit: self._search(dense, sparse, limit), depth)
        return found.best(depth, self.count() if sparse.indices else 0)

    def fetch(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """See ``Store``."""
        records = self._shard.retrieve([UUID(i) for i in ids], with_payload=True, with_vector=False)
        payloads = {str(record.id): dict(record.payload or {}) for record in records}
        return [payloads[i] for i in ids]

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """See ``Store``."""
        with _explained(self.folder):
            records = self._shard.retrieve([UUID(i) for i in ids], with_payload=False, with_vector=[DENSE])
        found: dict[str, Any] = {str(record.id): dict(record.vector or {})[DENSE] for record in records}  # type: ignore[arg-type]
        return np.array([found[i] for i in ids], dtype=np.float32).reshape(len(ids), self._dimension)

    def scan(self, batch: int = 1000) -> Iterator[tuple[tuple[str, ...], Vectors]]:
        """See ``Store``."""
        offset = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=batch, with_vector=[DENSE], with_payload=False)
            records, offset = self._shard.scroll(request)
            if records:
                vectors = np.array([dict(record.vector)[DENSE] for record in records], dtype=np.float32)  # type: ignore[arg-type]
                yield tuple(str(record.id) for record in records), vectors
            if offset is None:
                return

    def payloads(
        self, fields: Sequence[str], where: Mapping[str, Sequence[str]] | None = None, batch: int = 1000
    ) -> Iterator[tuple[tuple[str, ...], list[dict[str, Any]]]]:
        """See ``Store``."""
        chosen = [
            edge.FieldCondition(key=key, match=edge.MatchAny(list(values))) for key, values in (where or {}).items()
        ]
        offset = None
        while True:
            request = edge.ScrollRequest(
                offset=offset,
                limit=batch,
                filter=edge.Filter(must=[*chosen]) if chosen else None,
                with_payload=list(fields),
                with_vector=False,
            )
            with _explained(self.folder):
                records, offset = self._shard.scroll(request)
            if records:
                yield tuple(str(r.id) for r in records), [dict(r.payload or {}) for r in records]
            if offset is None:
                return

    def term_counts(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """See ``Store``."""
        return counted(self._terms())

    def count(self) -> int:
        """See ``Store``."""
        return int(self._shard.count(edge.CountRequest(exact=True)))

    def flush(self) -> None:
        """See ``Store``."""
        with _explained(self.folder):
            self._shard.flush()

    def drop(self) -> None:
        """See ``Store``."""
        self.close()
        shutil.rmtree(self.folder)

    def close(self) -> None:
        """See ``Store``."""
        self._shard.close()
        (self.folder / OWNER).unlink(missing_ok=True)
        self._lock.release()

    def _search(self, dense: Vectors, sparse: SparseVector, limit: int) -> Found:
        by_dense = edge.Query.Nearest(dense.tolist(), using=DENSE)
        requests = [edge.QueryRequest(query=by_dense, limit=limit)]
        if sparse.indices:
            terms = edge.SparseVector(list(sparse.indices), list(sparse.values))
            by_terms = edge.Query.Nearest(terms, using=SPARSE)
            of_top, of_terms = (edge.Prefetch(query=query, limit=limit) for query in (by_dense, by_terms))
            requests += [
                edge.QueryRequest(query=by_terms, limit=limit),
                edge.QueryRequest(prefetches=[of_top], query=by_terms, limit=limit),
                edge.QueryRequest(prefetches=[of_terms], query=by_dense, limit=limit),
            ]
        for index, value in zip(sparse.indices, sparse.values, strict=True):
            term = edge.Query.Nearest(edge.SparseVector([index], [value]), using=SPARSE)
            requests.append(edge.QueryRequest(query=term, limit=1))
        with _explained(self.folder):
            answers = [_scores(hits) for hits in self._shard.query_batch(edge.QueryBatchRequest(requests))]
        return found_of(limit, answers, sparse)

    def _terms(self, batch: int = 1000) -> Iterator[list[list[int]]]:
        offset = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=batch, with_vector=[SPARSE], with_payload=False)
            with _explained(self.folder):
                records, offset = self._shard.scroll(request)
            vectors: list[Any] = [dict(record.vector or {}) for record in records]  # type: ignore[arg-type]
            yield [list(vector[SPARSE].indices) for vector in vectors if SPARSE in vector]
            if offset is None:
                return

    def _update(self, operation: edge.UpdateOperation) -> None:
        with _explained(self.folder):
            self._shard.update(operation)


def _open(folder: Path, dimension: int) -> edge.EdgeShard:
    with _explained(folder):
        if (folder / "edge_config.json").exists():
            return edge.EdgeShard.load(str(folder))
        return edge.EdgeShard.create(str(folder), _config(dimension))


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the engine raises nothing narrower
        raise _explain(error, folder) from error


def _config(dimension: int) -> edge.EdgeConfig:
    return edge.EdgeConfig(
        vectors={DENSE: edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)},
        sparse_vectors={SPARSE: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        payload_memory=edge.Memory.Cached,
    )


def _scores(hits: Sequence[edge.ScoredPoint]) -> dict[str, float]:
    return {str(hit.id): hit.score for hit in hits}


def _lock(folder: Path) -> FileLock:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0, is_singleton=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise StoreError(
            f"The slice at {folder} is in use by {_holder(folder)}.",
            "Close that program, or set [store] url to a Qdrant server so that several processes can share the slices "
            "(docker run -p 6333:6333 qdrant/qdrant).",
        ) from error
    owner = {"pid": os.getpid(), "command": Path(sys.argv[0]).name if sys.argv else "python"}
    (folder / OWNER).write_text(json.dumps(owner), encoding="utf-8")
    return lock


def _explain(error: Exception, folder: Path) -> StoreError | SliceError:
    text = str(error)
    if "No space left" in text or os.strerror(errno.ENOSPC) in text:
        return StoreError(
            f"The disk that holds {folder} is full.", "Free some space and run the same command again: it resumes."
        )
    return SliceError(
        f"The slice at {folder} could not be read or written: {text}",
        "If a copy exists, restore it; otherwise remove the folder and add the documents again.",
    )


def _holder(folder: Path) -> str:
    try:
        owner = json.loads((folder / OWNER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "another process"
    return f"process {owner.get('pid')} ({owner.get('command')})"
