"""The default store: Qdrant's engine inside this process, one shard in one folder.

Everything that touches ``qdrant_edge`` is here, in ``shard``, ``rebuild`` and ``indexes.lexical``, because its API is young.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from threading import Lock, RLock
from typing import Any
from uuid import UUID

import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray

from indexes.errors import StoreError, SymposiaError
from indexes.room import check_room
from indexes.store import rebuild
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
    recorded,
)
from indexes.store.gate import Gate
from indexes.store.index import IndexSettings
from indexes.store.lock import OWNER, lock
from indexes.store.shard import adopt, differs, explained, index_documents, open_shard

NOTE = "index.json"
SHRUNK = 0.2  # share of an index's points that may be gone before it is made anew
WHOLE = edge.SearchParams(quantization=edge.QuantizationSearchParams(ignore=True))


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
    index
        How the index is built and searched; of a shard that exists, what is built changes when it is optimized.
    """

    def __init__(self, folder: Path, dimension: int, index: IndexSettings | None = None) -> None:
        self.folder = folder
        self.index = index or IndexSettings()
        self._dimension = dimension
        self._gate = Gate()
        self._writing = RLock()
        self._optimizing = Lock()
        self._touched: set[str] | None = None  # ids written while a copy is being optimized
        self._child: Popen[str] | None = None
        self._closed = False
        self._writes = 0
        self._counted = (-1, 0)  # after how many writes, and what
        self._lock = lock(folder)
        try:
            self._shard = open_shard(folder, dimension, self.index)
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
            self._update(edge.UpdateOperation.upsert_points(rows), [p.id for p in points])

    def update_vectors(self, ids: Sequence[str], vectors: Vectors) -> None:
        """See ``Store``."""
        with self._writing:
            known = self.existing(ids)  # the engine refuses a batch with an id that it does not have
            rows = [
                edge.PointVectors(UUID(i), {DENSE: vector.tolist()})
                for i, vector in zip(ids, vectors, strict=True)
                if i in known
            ]
            if rows:
                self._update(edge.UpdateOperation.update_vectors(rows), known)

    def delete(self, ids: Sequence[str]) -> None:
        """See ``Store``."""
        if ids:
            self._update(edge.UpdateOperation.delete_points([UUID(i) for i in ids]), ids)

    def existing(self, ids: Sequence[str]) -> set[str]:
        """See ``Store``."""
        with self._engine() as shard:
            found = shard.retrieve([UUID(i) for i in ids], with_payload=False, with_vector=False)
        return {str(record.id) for record in found}

    def candidates(self, dense: Vectors, sparse: SparseVector, depth: int) -> Candidates:
        """See ``Store``. Two planned batches of small queries: one or two milliseconds in all."""
        found = deepened(lambda limit: self._search(dense, sparse, limit), depth)
        return found.best(depth, self.count() if None in found.per_term.values() else 0)

    def lexical(self, sparse: SparseVector, limit: int) -> dict[str, float]:
        """The best by BM25 alone, by id; of equals, any."""
        terms = edge.SparseVector(list(sparse.indices), list(sparse.values))
        request = edge.QueryRequest(query=edge.Query.Nearest(terms, using=SPARSE), limit=limit)
        with self._engine() as shard:
            return _scores(shard.query(request))

    def fetch(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """See ``Store``."""
        with self._engine() as shard:
            records = shard.retrieve([UUID(i) for i in ids], with_payload=True, with_vector=False)
        payloads = {str(record.id): dict(record.payload or {}) for record in records}
        return [payloads[i] for i in ids]

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """See ``Store``."""
        with self._engine() as shard:
            records = shard.retrieve([UUID(i) for i in ids], with_payload=False, with_vector=[DENSE])
        found: dict[str, Any] = {str(record.id): dict(record.vector or {})[DENSE] for record in records}  # type: ignore[arg-type]
        return np.array([found[i] for i in ids], dtype=np.float32).reshape(len(ids), self._dimension)

    def scan(self, batch: int = 1000) -> Iterator[tuple[tuple[str, ...], Vectors]]:
        """See ``Store``."""
        for records in self._scroll(batch, with_vector=[DENSE], with_payload=False):
            vectors = np.array([dict(record.vector)[DENSE] for record in records], dtype=np.float32)  # type: ignore[arg-type]
            yield tuple(str(record.id) for record in records), vectors

    def records(self, batch: int = 1000) -> Iterator[list[Point]]:
        """See ``Store``."""
        for records in self._scroll(batch, with_vector=[DENSE, SPARSE], with_payload=True):
            yield [recorded(record.id, dict(record.vector or {}), record.payload) for record in records]  # type: ignore[arg-type]

    def payloads(
        self, fields: Sequence[str], where: Mapping[str, Sequence[str]] | None = None, batch: int = 1000
    ) -> Iterator[tuple[tuple[str, ...], list[dict[str, Any]]]]:
        """See ``Store``."""
        for records in self._scroll(batch, with_vector=False, with_payload=list(fields), where=where):
            yield tuple(str(record.id) for record in records), [dict(record.payload or {}) for record in records]

    def term_counts(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """See ``Store``."""
        return counted(self._terms())

    def count(self) -> int:
        """See ``Store``. Counted again only where something was written: the engine looks at every point."""
        writes, points = self._counted
        if writes != self._writes:
            writes = self._writes
            with self._engine() as shard:
                points = int(shard.count(edge.CountRequest(exact=True)))
            self._counted = (writes, points)  # of no use to anybody where something was written meanwhile
        return points

    def flush(self) -> None:
        """See ``Store``."""
        with self._engine() as shard:
            shard.flush()

    def optimize(self) -> None:
        """See ``Store``. It is left as it is where fewer points are outside the graph than make one pay.

        The work is done by another process on a copy, which needs the shard's space once or twice more for a while. Writers
        wait while the shard is copied; what they write afterwards is carried over. Searches wait while it is replaced, which
        takes as long as opening it.

        Raises
        ------
        StoreError
            Where the disk is too full for the copy, or the other process failed; the shard is as it was.
        """
        with self._optimizing:
            with self._writing, self._engine() as shard:
                index_documents(shard)
            if self._pays():
                self._rebuild()

    def drop(self) -> None:
        """See ``Store``."""
        self.close()
        shutil.rmtree(self.folder)

    def close(self) -> None:
        """See ``Store``. Optimizing that is under way is given up."""
        self._closed = True
        if self._child is not None:
            self._child.kill()
        with self._writing, self._gate.shut():
            self._shard.close()
            if self._lock.is_locked:
                (self.folder / OWNER).unlink(missing_ok=True)
            self._lock.release()

    def _search(self, dense: Vectors, sparse: SparseVector, limit: int) -> Found:
        """The best of each search, and then the other search's score of each of them that lacks it."""
        by_dense = edge.Query.Nearest(dense.tolist(), using=DENSE)
        terms = edge.SparseVector(list(sparse.indices), list(sparse.values))
        by_terms = edge.Query.Nearest(terms, using=SPARSE)
        requests = [edge.QueryRequest(query=by_dense, limit=limit, params=self._params(limit))]
        if sparse.indices:
            requests.append(edge.QueryRequest(query=by_terms, limit=limit))
        for index, value in zip(sparse.indices, sparse.values, strict=True):
            term = edge.Query.Nearest(edge.SparseVector([index], [value]), using=SPARSE)
            requests.append(edge.QueryRequest(query=term, limit=1))
        with self._engine() as shard:
            top, *others = (_scores(hits) for hits in shard.query_batch(edge.QueryBatchRequest(requests)))
            lexical, *alone = others or [{}]
            top_lexical = _among(shard, by_terms, top.keys() - lexical.keys()) if lexical else {}
            lexical_dense = _among(shard, by_dense, lexical.keys() - top.keys())
        per_term = {index: max(hits.values(), default=None) for index, hits in zip(sparse.indices, alone, strict=True)}
        return Found(limit, top, lexical, top_lexical, lexical_dense, per_term)

    def _params(self, limit: int) -> edge.SearchParams:
        quantization = edge.QuantizationSearchParams(
            ignore=self.index.quantization == "none", rescore=True, oversampling=self.index.oversampling
        )
        return edge.SearchParams(hnsw_ef=max(self.index.ef, limit), quantization=quantization)

    def _terms(self) -> Iterator[list[list[int]]]:
        for records in self._scroll(1000, with_vector=[SPARSE], with_payload=False):
            vectors: list[Any] = [dict(record.vector or {}) for record in records]  # type: ignore[arg-type]
            yield [list(vector[SPARSE].indices) for vector in vectors if SPARSE in vector]

    def _scroll(
        self,
        batch: int,
        *,
        with_vector: bool | list[str],
        with_payload: bool | list[str],
        where: Mapping[str, Sequence[str]] | None = None,
    ) -> Iterator[list[edge.Record]]:
        """Batches of records in order of id, none of them empty."""
        chosen = [
            edge.FieldCondition(key=key, match=edge.MatchAny(list(values))) for key, values in (where or {}).items()
        ]
        only = edge.Filter(must=[*chosen]) if chosen else None
        offset = None
        while True:
            request = edge.ScrollRequest(
                offset=offset, limit=batch, filter=only, with_vector=with_vector, with_payload=with_payload
            )
            with self._engine() as shard:
                records, offset = shard.scroll(request)
            if records:
                yield records
            if offset is None:
                return

    def _update(self, operation: edge.UpdateOperation, ids: Iterable[str]) -> None:
        with self._writing:
            check_room(self.folder)
            if self._touched is not None:
                self._touched.update(ids)
            try:
                with self._engine() as shard:
                    shard.update(operation)
            finally:
                self._writes += 1  # after the write, so that nobody keeps a number from before it

    @contextmanager
    def _engine(self) -> Iterator[edge.EdgeShard]:
        """The shard, which stays this one meanwhile. Not to be held while waiting for anything, itself included."""
        with self._gate.passing(), explained(self.folder):
            yield self._shard

    def _pays(self) -> bool:
        """Whether enough is outside the graph, or has left it, or it was made with other settings."""
        with self._engine() as shard:
            info = shard.info()
        points, graphed, noted = info.points_count, _graphed(info), _noted(self.folder)
        if points - graphed >= self.index.pays and points - graphed != noted.get("outside"):
            return True
        return graphed > 0 and (differs(self.folder, self.index) or points < (1 - SHRUNK) * noted.get("points", 0))

    def _rebuild(self) -> None:
        with self._writing:
            self.flush()
            copied = rebuild.copy(self.folder)
            self._touched = set()
        try:
            if self._worked_on(copied):
                with self._writing:
                    self._carry_over(copied)
                    self._replace(copied)
        finally:
            self._touched = None
            shutil.rmtree(copied, ignore_errors=True)

    def _worked_on(self, copied: Path) -> bool:
        """Whether the copy was optimized; not where the store was closed meanwhile."""
        self._child = rebuild.start(copied, self._dimension, self.index)
        if self._closed:
            self._child.kill()
        _, said = self._child.communicate()
        code, self._child = self._child.returncode, None
        if self._closed:
            return False
        if code:
            last = said.strip().splitlines()[-1:] or [f"exit code {code}"]
            raise StoreError(
                f"The slice at {self.folder} could not be optimized: {last[0]}",
                "It is as it was: searches are slower, and nothing is lost. Free memory or disk space and try again.",
            )
        return True

    def _carry_over(self, copied: Path) -> None:
        """Give the copy what was written since it was made."""
        touched = sorted(self._touched or ())
        if not touched:
            return
        with explained(self.folder):
            target = edge.EdgeShard.load(str(copied))
            for start in range(0, len(touched), 1000):
                part: list[int | UUID | str] = [UUID(i) for i in touched[start : start + 1000]]
                with self._gate.passing():
                    found = self._shard.retrieve(part, with_payload=True, with_vector=True)
                target.update(edge.UpdateOperation.delete_points(part))
                if found:
                    rows = [edge.Point(r.id, dict(r.vector), r.payload) for r in found]  # type: ignore[arg-type]
                    target.update(edge.UpdateOperation.upsert_points(rows))
            target.flush()
            target.close()

    def _replace(self, copied: Path) -> None:
        with self._gate.shut():
            if self._closed:
                return
            self._shard.close()
            rebuild.publish(self.folder, copied)
            with explained(self.folder):
                adopt(self.folder)
                self._shard = edge.EdgeShard.load(str(self.folder))
                info = self._shard.info()
        self._writes += 1
        note = {"points": info.points_count, "outside": info.points_count - _graphed(info)}
        (self.folder / NOTE).write_text(json.dumps(note), encoding="utf-8")


def _among(shard: edge.EdgeShard, query: edge.Query, ids: Iterable[str]) -> dict[str, float]:
    """The scores of these points, as their whole vectors have them."""
    chosen = {UUID(i) for i in ids}
    if not chosen:
        return {}
    only = edge.Filter(must=[edge.HasIdCondition(chosen)])  # type: ignore[arg-type]
    return _scores(shard.query(edge.QueryRequest(query=query, filter=only, limit=len(chosen), params=WHOLE)))


def _scores(hits: Sequence[edge.ScoredPoint]) -> dict[str, float]:
    return {str(hit.id): hit.score for hit in hits}


def _graphed(info: edge.ShardInfo) -> int:
    """How many points are in a graph: the terms of each point count as an indexed vector too."""
    return max(0, info.indexed_vectors_count - info.points_count)


def _noted(folder: Path) -> dict[str, int]:
    """How many points there were when the graph was made, and how many were left outside it."""
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return {key: int(note[key]) for key in ("points", "outside")}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
