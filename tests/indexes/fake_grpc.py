"""Enough of Qdrant's gRPC interface, on a loopback port, for the contract: answers come from the client's in-memory mode."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import grpc
from qdrant_client import QdrantClient, models
from qdrant_client import grpc as q
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc


class FakeGrpc:
    """A gRPC server on 127.0.0.1.

    ``faults`` are pairs of a method's name and the status it fails with, used up one by one; ``asked`` counts calls.
    """

    def __init__(self) -> None:
        self.engine = QdrantClient(":memory:")
        self.faults: list[tuple[str, grpc.StatusCode]] = []
        self.asked: dict[str, int] = {}
        self._lock = Lock()  # the in-memory mode is not made for threads
        self._server = grpc.server(ThreadPoolExecutor(4))
        q.add_QdrantServicer_to_server(_servicer(self, q.QdrantServicer, _ROOT), self._server)
        q.add_CollectionsServicer_to_server(_servicer(self, q.CollectionsServicer, _COLLECTIONS), self._server)
        q.add_PointsServicer_to_server(_servicer(self, q.PointsServicer, _POINTS), self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.stop(None).wait()

    def call(self, name: str, work: Callable[[QdrantClient, Any], Any], request: Any, context: Any) -> Any:
        """Answer one call, or let it fail."""
        with self._lock:
            self.asked[name] = self.asked.get(name, 0) + 1
            for fault in self.faults:
                if fault[0] == name:
                    self.faults.remove(fault)
                    context.abort(fault[1], "as the test wants it")
            return work(self.engine, request)


def _servicer(fake: FakeGrpc, base: type[Any], works: dict[str, Callable[[QdrantClient, Any], Any]]) -> Any:
    def method(name: str, work: Callable[[QdrantClient, Any], Any]) -> Callable[[Any, Any, Any], Any]:
        return lambda _self, request, context: fake.call(name, work, request, context)

    return type("Servicer", (base,), {name: method(name, work) for name, work in works.items()})()


def _create(engine: QdrantClient, request: Any) -> Any:
    sparse = {
        name: GrpcToRest.convert_sparse_vector_params(params)
        for name, params in request.sparse_vectors_config.map.items()
    }
    vectors = GrpcToRest.convert_vectors_config(request.vectors_config)
    made = engine.create_collection(request.collection_name, vectors_config=vectors, sparse_vectors_config=sparse)
    return q.CollectionOperationResponse(result=made)


def _get(engine: QdrantClient, request: Any) -> Any:
    info = engine.get_collection(request.collection_name)
    return q.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(info))


def _exists(engine: QdrantClient, request: Any) -> Any:
    found = engine.collection_exists(request.collection_name)
    return q.CollectionExistsResponse(result=q.CollectionExists(exists=found))


def _drop(engine: QdrantClient, request: Any) -> Any:
    return q.CollectionOperationResponse(result=engine.delete_collection(request.collection_name))


def _done(_: Any) -> Any:
    return q.PointsOperationResponse(result=q.UpdateResult(operation_id=1, status=q.UpdateStatus.Completed))


def _upsert(engine: QdrantClient, request: Any) -> Any:
    points = [GrpcToRest.convert_point_struct(point) for point in request.points]
    return _done(engine.upsert(request.collection_name, points))


def _update_vectors(engine: QdrantClient, request: Any) -> Any:
    points = [GrpcToRest.convert_point_vectors(point) for point in request.points]
    return _done(engine.update_vectors(request.collection_name, points))


def _delete(engine: QdrantClient, request: Any) -> Any:
    ids = [GrpcToRest.convert_point_id(i) for i in request.points.points.ids]
    return _done(engine.delete(request.collection_name, models.PointIdsList(points=ids)))


def _retrieve(engine: QdrantClient, request: Any) -> Any:
    records = engine.retrieve(
        request.collection_name,
        [GrpcToRest.convert_point_id(i) for i in request.ids],
        GrpcToRest.convert_with_payload_selector(request.with_payload),
        GrpcToRest.convert_with_vectors_selector(request.with_vectors),
    )
    return q.GetResponse(result=[_record(record) for record in records])


def _scroll(engine: QdrantClient, request: Any) -> Any:
    records, offset = engine.scroll(
        request.collection_name,
        scroll_filter=GrpcToRest.convert_filter(request.filter) if request.HasField("filter") else None,
        limit=request.limit,
        offset=GrpcToRest.convert_point_id(request.offset) if request.HasField("offset") else None,
        with_payload=GrpcToRest.convert_with_payload_selector(request.with_payload),
        with_vectors=GrpcToRest.convert_with_vectors_selector(request.with_vectors),
    )
    after = None if offset is None else RestToGrpc.convert_extended_point_id(offset)
    return q.ScrollResponse(result=[_record(record) for record in records], next_page_offset=after)


def _record(record: models.Record) -> Any:
    return RestToGrpc.convert_retrieved_point(record.model_copy(update={"payload": record.payload or {}}))


def _query(engine: QdrantClient, request: Any) -> Any:
    answers = []
    for each in request.query_points:
        wanted = GrpcToRest.convert_query_points(each)
        found = engine.query_points(
            request.collection_name,
            query=wanted.query,
            using=wanted.using,
            prefetch=wanted.prefetch or None,
            limit=wanted.limit or 10,
        )
        answers.append(q.BatchResult(result=[RestToGrpc.convert_scored_point(point) for point in found.points]))
    return q.QueryBatchResponse(result=answers)


def _count(engine: QdrantClient, request: Any) -> Any:
    counted = engine.count(request.collection_name, exact=request.exact)
    return q.CountResponse(result=q.CountResult(count=counted.count))


_ROOT = {"HealthCheck": lambda _engine, _request: q.HealthCheckReply(title="qdrant", version="1.20.0")}
_COLLECTIONS = {"CollectionExists": _exists, "Get": _get, "Create": _create, "Delete": _drop}
_POINTS = {
    "Upsert": _upsert,
    "UpdateVectors": _update_vectors,
    "Delete": _delete,
    "Get": _retrieve,
    "Scroll": _scroll,
    "QueryBatch": _query,
    "Count": _count,
}
