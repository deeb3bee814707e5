"""Enough of Qdrant's REST interface, on a loopback port, to see what our client sends and how it takes what comes back."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from qdrant_client import QdrantClient, models

RESET, SLOW, GARBAGE, EMPTY = "reset", "slow", "garbage", "empty"


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    action: str
    name: str
    query: dict[str, str]
    body: Any


@dataclass
class Fault:
    """What goes wrong at the next request, or at the next with this ``METHOD path``.

    Parameters
    ----------
    kind
        A status, answered instead; ``RESET`` breaks the connection amid the answer to a request that was carried out;
        ``SLOW`` carries it out and answers after ``seconds``; ``GARBAGE`` and ``EMPTY`` answer what is no JSON, and no result.
    written
        Of an upsert that is to fail, the points that are stored all the same.
    """

    kind: int | str
    action: str = ""
    written: int = 0
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


class _AnswerError(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


class FakeQdrant:
    """A server on 127.0.0.1 that parses requests as Qdrant's models and answers them from the client's in-memory mode.

    While ``fault`` is a status (503), every request is answered with it; ``faults`` are used up one by one. ``asked`` counts
    requests by ``METHOD path``, ``requests`` keeps them. A shard key's points are a collection of their own here: no cluster runs.
    """

    def __init__(self, api_key: str = "", version: str = "1.20.0", most_bytes: int = 32 << 20) -> None:
        self.engine = QdrantClient(":memory:")
        self.fault: int | None = None
        self.faults: list[Fault] = []
        self.asked: dict[str, int] = {}
        self.requests: list[Asked] = []
        self.created: dict[str, models.CreateCollection] = {}
        self.keys: dict[str, list[str]] = {}
        self.indexes: dict[str, dict[str, Any]] = {}
        self.api_key, self.version, self.most_bytes = api_key, version, most_bytes
        self._lock = Lock()  # the in-memory mode is not made for threads
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fake.serve(self, content)

            do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 (names of http.server)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                """A client that has hung up is no news."""

        self._server = Server(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop serving; further connections are refused."""
        self._server.shutdown()
        self._server.server_close()

    def of(self, action: str) -> list[Asked]:
        """The requests with this ``METHOD path``."""
        return [asked for asked in self.requests if asked.action == action]

    def serve(self, handler: BaseHTTPRequestHandler, content: bytes) -> None:
        """Answer one request, or let it go wrong."""
        parts = urlsplit(handler.path)
        name, path = [*parts.path.removeprefix("/collections/").split("/", 1), ""][:2]
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        action = f"{handler.command} {'/' if parts.path == '/' else path}"
        asked = Asked(action, name, query, json.loads(content or "null"))
        fault = None
        try:
            with self._lock:
                fault = self._noted(asked)
                result = self._answer(asked, fault, len(content), handler.headers.get("api-key", ""))
            status, body, headers = 200, json.dumps({"result": result, "status": "ok", "time": 0.0}).encode(), {}
            if parts.path == "/":
                body = json.dumps({"title": "qdrant", "version": self.version}).encode()
        except _AnswerError as failure:
            status, headers = failure.status, failure.headers
            body = json.dumps({"status": {"error": str(failure)}, "time": 0.0}).encode()
        kind = fault.kind if fault else ""
        if fault and kind == SLOW:
            time.sleep(fault.seconds)
        if kind in {GARBAGE, EMPTY}:
            body = b'{"result": [' if kind == GARBAGE else b"{}"
        _send(handler, status, body, headers, broken=kind == RESET)

    def _noted(self, asked: Asked) -> Fault | None:
        self.asked[asked.action] = self.asked.get(asked.action, 0) + 1
        self.requests.append(asked)
        fault = next((each for each in self.faults if each.action in {"", asked.action}), None)
        if fault is not None:
            self.faults.remove(fault)
        return fault

    def _answer(self, asked: Asked, fault: Fault | None, size: int, key: str) -> Any:
        if self.api_key and key != self.api_key:
            raise _AnswerError(401, "Must provide an API key or an Authorization bearer token")
        if self.fault is not None:
            raise _AnswerError(self.fault, "Service unavailable")
        if size > self.most_bytes:
            raise _AnswerError(
                413, f"JSON payload ({size} bytes) is larger than allowed (limit: {self.most_bytes} bytes)."
            )
        if fault is not None and isinstance(fault.kind, int):
            if fault.written:
                self._act(
                    Asked(asked.action, asked.name, {}, {**asked.body, "points": asked.body["points"][: fault.written]})
                )
            raise _AnswerError(fault.kind, "Service unavailable", fault.headers)
        return None if asked.action == "GET /" else self._act(asked)

    def _act(self, asked: Asked) -> Any:
        if asked.action not in _FREE and not self.engine.collection_exists(asked.name):
            raise _AnswerError(404, f"Not found: Collection `{asked.name}` doesn't exist!")
        return _ACTIONS[asked.action](self, asked.name, asked.body)

    def place(self, name: str, body: Any) -> str:
        """The collection of the engine that holds the points of a request."""
        key = (body or {}).get("shard_key")
        if name not in self.keys:
            if key is not None:
                raise _AnswerError(400, f"Wrong input: Shard key {key} is given for a collection with auto sharding")
            return name
        if key is None:
            raise _AnswerError(400, "Bad request: Shard key not specified")
        if key not in self.keys[name]:
            raise _AnswerError(404, f"Not found: Shard key {key} not found")
        return f"{name}~{key}"


def _send(
    handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str], *, broken: bool
) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2] if broken else body)
    if broken:
        handler.wfile.flush()
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True


def _exists(fake: FakeQdrant, name: str, _: Any) -> Any:
    return {"exists": fake.engine.collection_exists(name)}


def _get(fake: FakeQdrant, name: str, _: Any) -> Any:
    info = fake.engine.get_collection(name).model_dump(mode="json")
    return {**info, "payload_schema": fake.indexes.get(name, {})}


def _create(fake: FakeQdrant, name: str, body: Any) -> Any:
    wanted = models.CreateCollection.model_validate(body)
    if fake.engine.collection_exists(name):
        raise _AnswerError(409, f"Wrong input: Collection `{name}` already exists!")
    fake.created[name] = wanted
    if wanted.sharding_method is models.ShardingMethod.CUSTOM:
        fake.keys[name] = []
    return _make(fake, name, wanted)


def _make(fake: FakeQdrant, name: str, wanted: models.CreateCollection) -> Any:
    return fake.engine.create_collection(
        name, vectors_config=wanted.vectors, sparse_vectors_config=wanted.sparse_vectors
    )


def _delete_collection(fake: FakeQdrant, name: str, _: Any) -> Any:
    for key in fake.keys.pop(name, []):
        fake.engine.delete_collection(f"{name}~{key}")
    fake.indexes.pop(name, None)
    fake.created.pop(name, None)
    return fake.engine.delete_collection(name)


def _create_key(fake: FakeQdrant, name: str, body: Any) -> Any:
    wanted = models.CreateShardingKey.model_validate(body)
    if name not in fake.keys:
        raise _AnswerError(400, "Bad request: Shard Key cannot be created with Auto sharding method")
    if wanted.shard_key in fake.keys[name]:
        raise _AnswerError(409, f"Wrong input: Shard key {wanted.shard_key} already exists")
    fake.keys[name].append(str(wanted.shard_key))
    return _make(fake, f"{name}~{wanted.shard_key}", fake.created[name])


def _delete_key(fake: FakeQdrant, name: str, body: Any) -> Any:
    fake.keys[name].remove(body["shard_key"])
    return fake.engine.delete_collection(f"{name}~{body['shard_key']}")


def _index(fake: FakeQdrant, name: str, body: Any) -> Any:
    wanted = models.CreateFieldIndex.model_validate(body)
    schema = wanted.field_schema
    assert isinstance(schema, models.KeywordIndexParams)
    fake.indexes.setdefault(name, {})[wanted.field_name] = {
        "data_type": "keyword",
        "params": schema.model_dump(mode="json", exclude_none=True),
        "points": 0,
    }
    return {"operation_id": 0, "status": "acknowledged"}


def _upsert(fake: FakeQdrant, name: str, body: Any) -> Any:
    return _plain(fake.engine.upsert(fake.place(name, body), models.PointsList.model_validate(body).points))


def _update_vectors(fake: FakeQdrant, name: str, body: Any) -> Any:
    points = models.UpdateVectors.model_validate(body).points
    return _plain(fake.engine.update_vectors(fake.place(name, body), points))


def _delete(fake: FakeQdrant, name: str, body: Any) -> Any:
    return _plain(fake.engine.delete(fake.place(name, body), models.PointIdsList.model_validate(body)))


def _retrieve(fake: FakeQdrant, name: str, body: Any) -> Any:
    wanted = models.PointRequest.model_validate(body)
    found = fake.engine.retrieve(
        fake.place(name, body), wanted.ids, wanted.with_payload or False, wanted.with_vector or False
    )
    return _plain(found)


def _scroll(fake: FakeQdrant, name: str, body: Any) -> Any:
    wanted = models.ScrollRequest.model_validate(body)
    records, offset = fake.engine.scroll(
        fake.place(name, body),
        scroll_filter=wanted.filter,
        limit=wanted.limit or 10,
        offset=wanted.offset,
        with_payload=wanted.with_payload or False,
        with_vectors=wanted.with_vector or False,
    )
    return {"points": _plain(records), "next_page_offset": offset}


def _query(fake: FakeQdrant, name: str, body: Any) -> Any:
    wanted = models.QueryRequestBatch.model_validate(body).searches
    places = {fake.place(name, each) for each in body["searches"]}
    (place,) = places  # our client never mixes shard keys
    return _plain(fake.engine.query_batch_points(place, [_bare(each) for each in wanted]))


def _bare(request: models.QueryRequest) -> models.QueryRequest:
    """Without parameters of an index, which the in-memory mode has none of and warns about."""
    prefetch = request.prefetch
    if isinstance(prefetch, models.Prefetch):
        prefetch = prefetch.model_copy(update={"params": None})
    return request.model_copy(update={"params": None, "prefetch": prefetch, "shard_key": None})


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, list) else value.model_dump(mode="json")


_FREE = ("GET exists", "PUT ", "DELETE ")
_ACTIONS: Mapping[str, Callable[[FakeQdrant, str, Any], Any]] = {
    "GET exists": _exists,
    "GET ": _get,
    "PUT ": _create,
    "DELETE ": _delete_collection,
    "GET shards": lambda fake, name, _: {"shard_keys": [{"key": key} for key in fake.keys.get(name, [])]},
    "PUT shards": _create_key,
    "POST shards/delete": _delete_key,
    "PUT index": _index,
    "PUT points": _upsert,
    "PUT points/vectors": _update_vectors,
    "POST points": _retrieve,
    "POST points/delete": _delete,
    "POST points/scroll": _scroll,
    "POST points/query/batch": _query,
    "POST points/count": lambda fake, name, body: _plain(
        fake.engine.count(fake.place(name, body), exact=body["exact"])
    ),
}
