"""A Qdrant server, cluster, or the client's in-memory mode: one collection a slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.errors import StoreError
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

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models


class ServerStore:
    """The collection ``name`` behind a ``QdrantClient``; created where it does not exist.

    Parameters
    ----------
    client
        Connected to a server by URL, or ``QdrantClient(":memory:")``.
    name
        Name of the collection.
    dimension
        Length of the dense vectors.
    """

    def __init__(self, client: QdrantClient, name: str, dimension: int) -> None:
        from qdrant_client import models

        self.client = client
        self.name = name
        self._dimension = dimension
        self._models = models
        with self._explained():
            if not client.collection_exists(name):
                client.create_collection(
                    name,
                    vectors_config={DENSE: models.VectorParams(size=dimension, distance=models.Distance.COSINE)},
                    sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                )

    def upsert(self, points: Sequence[Point]) -> None:
        """See ``Store``."""
        rows = [
            self._models.PointStruct(
                id=p.id, vector={DENSE: p.dense.tolist(), SPARSE: self._sparse(p.sparse)}, payload=p.payload
            )
            for p in points
        ]
        if rows:
            with self._explained():
                self.client.upsert(self.name, rows, wait=True)

    def update_vectors(self, ids: Sequence[str], vectors: Vectors) -> None:
        """See ``Store``."""
        known = self.existing(ids)  # the server answers an unknown id with an error
        rows = [
            self._models.PointVectors(id=i, vector={DENSE: vector.tolist()})
            for i, vector in zip(ids, vectors, strict=True)
            if i in known
        ]
        if rows:
            with self._explained():
                self.client.update_vectors(self.name, rows, wait=True)

    def delete(self, ids: Sequence[str]) -> None:
        """See ``Store``."""
        if ids:
            with self._explained():
                self.client.delete(self.name, self._models.PointIdsList(points=list(ids)), wait=True)

    def existing(self, ids: Sequence[str]) -> set[str]:
        """See ``Store``."""
        with self._explained():
            found = self.client.retrieve(self.name, list(ids), with_payload=False, with_vectors=False)
        return {str(record.id) for record in found}

    def candidates(self, dense: Vectors, sparse: SparseVector, depth: int) -> Candidates:
        """See ``Store``. One round trip, or two where very many passages are equal at the cut."""
        found = deepened(lambda limit: self._search(dense, sparse, limit), depth)
        return found.best(depth, self.count() if sparse.indices else 0)

    def fetch(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """See ``Store``."""
        with self._explained():
            records = self.client.retrieve(self.name, list(ids), with_payload=True, with_vectors=False)
        payloads = {str(record.id): dict(record.payload or {}) for record in records}
        return [payloads[i] for i in ids]

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """See ``Store``."""
        with self._explained():
            records = self.client.retrieve(self.name, list(ids), with_payload=False, with_vectors=[DENSE])
        found: dict[str, Any] = {str(record.id): dict(record.vector or {})[DENSE] for record in records}  # type: ignore[arg-type]
        return np.array([found[i] for i in ids], dtype=np.float32).reshape(len(ids), self._dimension)

    def scan(self, batch: int = 1000) -> Iterator[tuple[tuple[str, ...], Vectors]]:
        """See ``Store``."""
        offset: Any = None
        while True:
            with self._explained():
                records, offset = self.client.scroll(
                    self.name, limit=batch, offset=offset, with_vectors=[DENSE], with_payload=False
                )
            if records:
                vectors = np.array([dict(record.vector)[DENSE] for record in records], dtype=np.float32)  # type: ignore[arg-type]
                yield tuple(str(record.id) for record in records), vectors
            if offset is None:
                return

    def payloads(
        self, fields: Sequence[str], where: Mapping[str, Sequence[str]] | None = None, batch: int = 1000
    ) -> Iterator[tuple[tuple[str, ...], list[dict[str, Any]]]]:
        """See ``Store``."""
        chosen: list[Any] = [
            self._models.FieldCondition(key=key, match=self._models.MatchAny(any=list(values)))
            for key, values in (where or {}).items()
        ]
        offset: Any = None
        while True:
            with self._explained():
                records, offset = self.client.scroll(
                    self.name,
                    scroll_filter=self._models.Filter(must=chosen) if chosen else None,
                    limit=batch,
                    offset=offset,
                    with_vectors=False,
                    with_payload=list(fields),
                )
            if records:
                yield tuple(str(r.id) for r in records), [dict(r.payload or {}) for r in records]
            if offset is None:
                return

    def term_counts(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """See ``Store``."""
        return counted(self._terms())

    def count(self) -> int:
        """See ``Store``."""
        with self._explained():
            return int(self.client.count(self.name, exact=True).count)

    def flush(self) -> None:
        """Nothing to do: writes wait for the server's acknowledgement."""

    def drop(self) -> None:
        """See ``Store``."""
        with self._explained():
            self.client.delete_collection(self.name)

    def close(self) -> None:
        """Nothing to do: the client is shared by all slices and closed by whoever opened it."""

    def _terms(self, batch: int = 1000) -> Iterator[list[list[int]]]:
        offset: Any = None
        while True:
            with self._explained():
                records, offset = self.client.scroll(
                    self.name, limit=batch, offset=offset, with_vectors=[SPARSE], with_payload=False
                )
            vectors: list[Any] = [dict(record.vector or {}) for record in records]  # type: ignore[arg-type]
            yield [list(vector[SPARSE].indices) for vector in vectors if SPARSE in vector]
            if offset is None:
                return

    def _search(self, dense: Vectors, sparse: SparseVector, limit: int) -> Found:
        request, prefetch = self._models.QueryRequest, self._models.Prefetch
        by_dense = dense.tolist()
        requests = [request(query=by_dense, using=DENSE, limit=limit)]
        if sparse.indices:
            terms = self._sparse(sparse)
            of_top = prefetch(query=by_dense, using=DENSE, limit=limit)
            of_terms = prefetch(query=terms, using=SPARSE, limit=limit)
            requests += [
                request(query=terms, using=SPARSE, limit=limit),
                request(prefetch=of_top, query=terms, using=SPARSE, limit=limit),
                request(prefetch=of_terms, query=by_dense, using=DENSE, limit=limit),
            ]
        for index, value in zip(sparse.indices, sparse.values, strict=True):
            term = self._models.SparseVector(indices=[index], values=[value])
            requests.append(request(query=term, using=SPARSE, limit=1))
        with self._explained():
            answers = [_scores(answer.points) for answer in self.client.query_batch_points(self.name, requests)]
        return found_of(limit, answers, sparse)

    def _sparse(self, vector: SparseVector) -> models.SparseVector:
        return self._models.SparseVector(indices=list(vector.indices), values=list(vector.values))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from qdrant_client.http.exceptions import ApiException, ResponseHandlingException

        try:
            yield
        except (ApiException, ResponseHandlingException, ConnectionError, TimeoutError) as error:
            raise StoreError(
                f"The Qdrant server did not answer for collection {self.name!r}: {error}",
                "Check that the server runs and that [store] url and api_key are right, then try again.",
            ) from error


def _scores(points: Sequence[Any]) -> dict[str, float]:
    return {str(point.id): float(point.score) for point in points}
