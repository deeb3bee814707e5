"""A Qdrant server, cluster, or the client's in-memory mode: one collection a slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.errors import StoreError
from indexes.store.base import DENSE, SPARSE, Candidates, Point, SparseVector, Vectors, merge

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
        """See ``Store``. One round trip."""
        request, prefetch = self._models.QueryRequest, self._models.Prefetch
        by_dense = dense.tolist()
        requests = [request(query=by_dense, using=DENSE, limit=depth)]
        if sparse.indices:
            terms = self._sparse(sparse)
            first_terms = prefetch(query=terms, using=SPARSE, limit=depth)
            first_dense = prefetch(query=by_dense, using=DENSE, limit=depth)
            requests += [
                request(query=terms, using=SPARSE, limit=depth),
                request(prefetch=first_terms, query=by_dense, using=DENSE, limit=depth),
                request(prefetch=first_dense, query=terms, using=SPARSE, limit=depth),
            ]
            for index, value in zip(sparse.indices, sparse.values, strict=True):
                term = self._models.SparseVector(indices=[index], values=[value])
                requests.append(request(query=term, using=SPARSE, limit=1))
        with self._explained():
            answers = [_scores(r.points) for r in self.client.query_batch_points(self.name, requests)]
        if not sparse.indices:
            return merge(answers[0], {}, {}, 0)
        top, lexical, rest, lexical_rest, *per_term = answers
        best = {t: max(s.values(), default=None) for t, s in zip(sparse.indices, per_term, strict=True)}
        return merge(top | rest, lexical | lexical_rest, best, self.count())

    def fetch(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """See ``Store``."""
        with self._explained():
            records = self.client.retrieve(self.name, list(ids), with_payload=True, with_vectors=False)
        payloads = {str(record.id): dict(record.payload or {}) for record in records}
        return [payloads[i] for i in ids]

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
