"""A Qdrant server, cluster, or the client's in-memory mode: a collection a slice, or a shard key of a common one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexes.errors import SliceError
from indexes.store.base import (
    DENSE,
    DOCUMENT,
    SPARSE,
    Candidates,
    Found,
    Point,
    SparseVector,
    Vectors,
    counted,
    deepened,
    found_of,
    recorded,
)
from indexes.store.cluster import ClusterSettings
from indexes.store.connection import Connection, RefusedError
from indexes.store.index import QUANTILE, IndexSettings

if TYPE_CHECKING:
    from qdrant_client import models

T = TypeVar("T")

COMMON = "experts"
LARGEST = 16 << 20  # bytes of a message: a server takes 32 MiB unless told otherwise
MANY = 10_000  # ids of a message
NUMBER = 22  # bytes of a written number, at most


class ServerStore:
    """The points of one slice behind a ``QdrantClient``; what it lacks there is created.

    Parameters
    ----------
    connection
        To a server by URL, or to ``QdrantClient(":memory:")``.
    name
        Name of the collection: the slice's own, or one that is common to all slices.
    dimension
        Length of the dense vectors.
    index
        How an index is built and searched; ``None`` leaves it to the server.
    cluster
        How collections are spread.
    key
        The slice's shard key in the common collection; empty where the slice has a collection.
    """

    def __init__(
        self,
        connection: Connection,
        name: str,
        dimension: int,
        *,
        index: IndexSettings | None = None,
        cluster: ClusterSettings | None = None,
        key: str = "",
    ) -> None:
        from qdrant_client import models

        self.connection = connection
        self.name = name
        self.index = index
        self.cluster = cluster or ClusterSettings()
        self.key = key or None
        self._dimension = dimension
        self._models = models
        connection.check_version()
        self._prepare()

    def upsert(self, points: Sequence[Point]) -> None:
        """See ``Store``. A batch that the server has written in part is written again as a whole."""
        for part in _parts(points):
            self._upsert(part)

    def update_vectors(self, ids: Sequence[str], vectors: Vectors) -> None:
        """See ``Store``."""
        known = self.existing(ids)  # the server answers an unknown id with an error
        rows = [
            self._models.PointVectors(id=i, vector={DENSE: vector.tolist()})
            for i, vector in zip(ids, vectors, strict=True)
            if i in known
        ]
        for part in _slices(rows, max(1, LARGEST // (NUMBER * self._dimension))):
            self._ask("replace vectors", "update_vectors", part, wait=True, shard_key_selector=self.key)

    def delete(self, ids: Sequence[str]) -> None:
        """See ``Store``."""
        for part in _slices(ids, MANY):
            chosen = self._models.PointIdsList(points=part)
            self._ask("delete passages", "delete", chosen, wait=True, shard_key_selector=self.key)

    def existing(self, ids: Sequence[str]) -> set[str]:
        """See ``Store``."""
        return {str(record.id) for record in self._retrieve(ids, with_payload=False, with_vectors=False)}

    def candidates(self, dense: Vectors, sparse: SparseVector, depth: int) -> Candidates:
        """See ``Store``. One round trip, and one more where a word is unknown or very many passages are equal at the cut."""
        found = deepened(lambda limit: self._search(dense, sparse, limit), depth)
        return found.best(depth, self.count() if None in found.per_term.values() else 0)

    def fetch(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """See ``Store``."""
        records = self._retrieve(ids, with_payload=True, with_vectors=False)
        payloads = {str(record.id): dict(record.payload or {}) for record in records}
        return [payloads[i] for i in ids]

    def vectors(self, ids: Sequence[str]) -> Vectors:
        """See ``Store``."""
        records = self._retrieve(ids, with_payload=False, with_vectors=[DENSE])
        found: dict[str, Any] = {str(record.id): dict(record.vector or {})[DENSE] for record in records}  # type: ignore[arg-type]
        return np.array([found[i] for i in ids], dtype=np.float32).reshape(len(ids), self._dimension)

    def scan(self, batch: int = 1000) -> Iterator[tuple[tuple[str, ...], Vectors]]:
        """See ``Store``."""
        for records in self._scroll(batch, with_vectors=[DENSE], with_payload=False):
            vectors = np.array([dict(record.vector)[DENSE] for record in records], dtype=np.float32)
            yield tuple(str(record.id) for record in records), vectors

    def records(self, batch: int = 1000) -> Iterator[list[Point]]:
        """See ``Store``."""
        for records in self._scroll(batch, with_vectors=[DENSE, SPARSE], with_payload=True):
            yield [recorded(record.id, dict(record.vector or {}), record.payload) for record in records]

    def payloads(
        self, fields: Sequence[str], where: Mapping[str, Sequence[str]] | None = None, batch: int = 1000
    ) -> Iterator[tuple[tuple[str, ...], list[dict[str, Any]]]]:
        """See ``Store``."""
        for records in self._scroll(batch, with_vectors=False, with_payload=list(fields), where=where):
            yield tuple(str(r.id) for r in records), [dict(r.payload or {}) for r in records]

    def term_counts(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """See ``Store``."""
        return counted(self._terms())

    def count(self) -> int:
        """See ``Store``."""
        counted_ = self._ask("count passages", "count", exact=True, shard_key_selector=self.key)
        return int(counted_.count)

    def flush(self) -> None:
        """Nothing to do: writes wait for the server's acknowledgement."""

    def optimize(self) -> None:
        """Nothing to do: a server sees to its index by itself."""

    def drop(self) -> None:
        """See ``Store``."""
        if self.key is None:
            self._ask("delete the collection", "delete_collection")
        else:
            self._ask("delete the shard key", "delete_shard_key", self.key)

    def close(self) -> None:
        """Nothing to do: the client is shared by all slices and closed by whoever opened it."""

    def _terms(self) -> Iterator[list[list[int]]]:
        for records in self._scroll(1000, with_vectors=[SPARSE], with_payload=False):
            vectors = [dict(record.vector or {}) for record in records]
            yield [list(vector[SPARSE].indices) for vector in vectors if SPARSE in vector]

    def _scroll(
        self,
        batch: int,
        *,
        with_vectors: bool | list[str],
        with_payload: bool | list[str],
        where: Mapping[str, Sequence[str]] | None = None,
    ) -> Iterator[list[Any]]:
        """Batches of records in order of id, none of them empty."""
        chosen: list[Any] = [
            self._models.FieldCondition(key=key, match=self._models.MatchAny(any=list(values)))
            for key, values in (where or {}).items()
        ]
        only = self._models.Filter(must=chosen) if chosen else None
        offset: Any = None
        while True:
            records, offset = self._ask(
                "read passages",
                "scroll",
                scroll_filter=only,
                limit=batch,
                offset=offset,
                with_vectors=with_vectors,
                with_payload=with_payload,
                consistency=self._consistency,
                shard_key_selector=self.key,
            )
            if records:
                yield records
            if offset is None:
                return

    def _search(self, dense: Vectors, sparse: SparseVector, limit: int) -> Found:
        prefetch, params = self._models.Prefetch, self._params(limit)
        by_dense = dense.tolist()
        requests = [self._request(query=by_dense, using=DENSE, limit=limit, params=params)]
        if sparse.indices:
            terms = self._sparse(sparse)
            of_top = prefetch(query=by_dense, using=DENSE, limit=limit, params=params)
            of_terms = prefetch(query=terms, using=SPARSE, limit=limit)
            requests += [
                self._request(query=terms, using=SPARSE, limit=limit),
                self._request(prefetch=of_top, query=terms, using=SPARSE, limit=limit),
                self._request(prefetch=of_terms, query=by_dense, using=DENSE, limit=limit),
            ]
        for index, value in zip(sparse.indices, sparse.values, strict=True):
            term = self._models.SparseVector(indices=[index], values=[value])
            requests.append(self._request(query=term, using=SPARSE, limit=1))
        answers = self._ask("search", "query_batch_points", requests, consistency=self._consistency)
        return found_of(limit, [_scores(answer.points) for answer in answers], sparse)

    def _request(self, **asked: Any) -> models.QueryRequest:  # noqa: ANN401 (the fields of a request)
        return self._models.QueryRequest(shard_key=self.key, **asked)

    def _params(self, limit: int) -> models.SearchParams | None:
        if self.index is None:
            return None
        quantization = self._models.QuantizationSearchParams(
            ignore=self.index.quantization == "none", rescore=True, oversampling=self.index.oversampling
        )
        return self._models.SearchParams(hnsw_ef=max(self.index.ef, limit), quantization=quantization)

    def _sparse(self, vector: SparseVector) -> models.SparseVector:
        return self._models.SparseVector(indices=list(vector.indices), values=list(vector.values))

    def _upsert(self, points: Sequence[Point]) -> None:
        rows = [
            self._models.PointStruct(
                id=p.id, vector={DENSE: p.dense.tolist(), SPARSE: self._sparse(p.sparse)}, payload=p.payload
            )
            for p in points
        ]
        try:
            self._ask("store passages", "upsert", rows, wait=True, shard_key_selector=self.key)
        except RefusedError as error:
            if error.status != 413 or len(points) == 1:
                raise
            for half in (points[: len(points) // 2], points[len(points) // 2 :]):
                self._upsert(half)

    def _retrieve(
        self, ids: Sequence[str], *, with_payload: bool, with_vectors: bool | list[str]
    ) -> Iterator[models.Record]:
        for part in _slices(ids, MANY):
            yield from self._ask(
                "read passages",
                "retrieve",
                part,
                with_payload=with_payload,
                with_vectors=with_vectors,
                consistency=self._consistency,
                shard_key_selector=self.key,
            )

    @property
    def _consistency(self) -> models.ReadConsistencyType | None:
        wanted = self.cluster.read_consistency
        return self._models.ReadConsistencyType(wanted) if wanted else None

    def _ask(self, what: str, method: str, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 (the client's own)
        """Call a method of the client on the collection; ``what`` is the action in words."""
        return self.connection.ask(
            what, self.name, lambda client: getattr(client, method)(self.name, *arguments, **named)
        )

    def _prepare(self) -> None:
        """See to it that the collection is there, fits, and has what it needs."""
        if not self._ask("look for the collection", "collection_exists"):
            _unless_there(partial(self._ask, "create the collection", "create_collection", **self._wanted()))
        info = self._ask("look at the collection", "get_collection")
        self._check(info)
        if self.key is not None:
            keys = self._ask("list shard keys", "list_shard_keys").shard_keys or []
            if self.key not in {each.key for each in keys}:
                shards, replicas = self.cluster.shards or None, self.cluster.replicas or None
                create = partial(self._ask, "create the shard key", "create_shard_key", self.key)
                _unless_there(partial(create, shards_number=shards, replication_factor=replicas))
        if self.index is not None and DOCUMENT not in (info.payload_schema or {}):
            keyword = self._models.KeywordIndexParams(type=self._models.KeywordIndexType.KEYWORD, enable_hnsw=False)
            self._ask("create the index of documents", "create_payload_index", DOCUMENT, keyword, wait=False)

    def _wanted(self) -> dict[str, Any]:
        """What the collection is created with."""
        models, index, cluster = self._models, self.index, self.cluster
        int8 = models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=QUANTILE, always_ram=True)
        )
        return {
            "vectors_config": {DENSE: models.VectorParams(size=self._dimension, distance=models.Distance.COSINE)},
            "sparse_vectors_config": {SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            "shard_number": cluster.shards or None,
            "sharding_method": models.ShardingMethod.CUSTOM if self.key is not None else None,
            "replication_factor": cluster.replicas or None,
            "write_consistency_factor": cluster.write_consistency or None,
            "on_disk_payload": None if index is None else index.payload == "cold",
            "hnsw_config": None if index is None else models.HnswConfigDiff(m=index.m, ef_construct=index.ef_construct),
            "quantization_config": int8 if index is not None and index.quantization == "int8" else None,
        }

    def _check(self, info: models.CollectionInfo) -> None:
        """Raise a ``SliceError`` unless the collection is one of ours with this dimension."""
        params = info.config.params
        dense = params.vectors.get(DENSE) if isinstance(params.vectors, dict) else None
        where = f"Collection {self.name!r} at {self.connection.url or 'the server'}"
        if dense is None or SPARSE not in (params.sparse_vectors or {}):
            raise SliceError(
                f"{where} was not made by Symposia: it lacks the vectors {DENSE!r} and {SPARSE!r}.",
                "Give the expert another name, or remove that collection from the server if nobody needs it.",
            )
        if dense.size != self._dimension:
            raise SliceError(
                f"{where} holds vectors of {dense.size} numbers, and the encoder gives {self._dimension}.",
                "Another encoder filled it. Set [models] encoder to that one; or remove the expert, delete that collection from the "
                "server, and add its documents again.",
            )


def common(prefix: str, dimension: int) -> str:
    """Name of the collection that all slices of a dimension share."""
    return f"{prefix}{COMMON}-{dimension}"


def _unless_there(create: Callable[[], object]) -> None:
    """Create it, unless another process, or an attempt whose answer was lost, has done so."""
    try:
        create()
    except RefusedError as error:
        if error.status != 409 and "already exists" not in error.problem:
            raise


def _parts(points: Sequence[Point]) -> Iterator[list[Point]]:
    """The points in messages that a server takes."""
    part: list[Point] = []
    size = 0
    for point in points:
        own = _size(point)
        if part and size + own > LARGEST:
            yield part
            part, size = [], 0
        part.append(point)
        size += own
    if part:
        yield part


def _size(point: Point) -> int:
    """Bytes of a point in a message, at most."""
    numbers = len(point.dense) + 2 * len(point.sparse.indices)
    return NUMBER * numbers + len(json.dumps(point.payload, ensure_ascii=True)) + 200


def _slices(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rows = list(items)
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _scores(points: Sequence[Any]) -> dict[str, float]:
    return {str(point.id): float(point.score) for point in points}
