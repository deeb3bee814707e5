"""Enough of Qdrant's REST interface, on a loopback port, to see what our client sends and how it takes what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from qdrant_client import QdrantClient, models


class FakeQdrant:
    """A server on 127.0.0.1 that parses requests as Qdrant's models and answers them from the client's in-memory mode.

    While ``fault`` is a status (503), every request is answered with it. ``asked`` counts requests by ``METHOD path``.
    """

    def __init__(self) -> None:
        self.engine = QdrantClient(":memory:")
        self.fault: int | None = None
        self.asked: dict[str, int] = {}
        self._lock = Lock()  # the in-memory mode is not made for threads
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, content = fake.handle(self.command, urlsplit(self.path).path, json.loads(body or "null"))
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 (names of http.server)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop serving; further connections are refused."""
        self._server.shutdown()
        self._server.server_close()

    def handle(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        """Status and content of the answer to one request."""
        name, action = [*path.removeprefix("/collections/").split("/", 1), ""][:2]
        with self._lock:
            self.asked[f"{method} {action}"] = self.asked.get(f"{method} {action}", 0) + 1
            if self.fault is not None:
                return self.fault, b'{"status": {"error": "Service unavailable"}}'
            if path == "/":
                return 200, json.dumps({"title": "qdrant", "version": "1.20.0"}).encode()
            result = _ACTIONS[method, action](self.engine, name, body)
        return 200, json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()


def _create(engine: QdrantClient, name: str, body: Any) -> Any:
    wanted = models.CreateCollection.model_validate(body)
    return engine.create_collection(name, vectors_config=wanted.vectors, sparse_vectors_config=wanted.sparse_vectors)


def _upsert(engine: QdrantClient, name: str, body: Any) -> Any:
    return _plain(engine.upsert(name, models.PointsList.model_validate(body).points))


def _update_vectors(engine: QdrantClient, name: str, body: Any) -> Any:
    return _plain(engine.update_vectors(name, models.UpdateVectors.model_validate(body).points))


def _retrieve(engine: QdrantClient, name: str, body: Any) -> Any:
    wanted = models.PointRequest.model_validate(body)
    return _plain(engine.retrieve(name, wanted.ids, wanted.with_payload or False, wanted.with_vector or False))


def _scroll(engine: QdrantClient, name: str, body: Any) -> Any:
    wanted = models.ScrollRequest.model_validate(body)
    records, offset = engine.scroll(
        name,
        scroll_filter=wanted.filter,
        limit=wanted.limit or 10,
        offset=wanted.offset,
        with_payload=wanted.with_payload or False,
        with_vectors=wanted.with_vector or False,
    )
    return {"points": _plain(records), "next_page_offset": offset}


def _query(engine: QdrantClient, name: str, body: Any) -> Any:
    wanted = models.QueryRequestBatch.model_validate(body)
    return _plain(engine.query_batch_points(name, wanted.searches))


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, list) else value.model_dump(mode="json")


_ACTIONS: Mapping[tuple[str, str], Callable[[QdrantClient, str, Any], Any]] = {
    ("GET", "exists"): lambda engine, name, _: {"exists": engine.collection_exists(name)},
    ("PUT", ""): _create,
    ("DELETE", ""): lambda engine, name, _: engine.delete_collection(name),
    ("PUT", "points"): _upsert,
    ("PUT", "points/vectors"): _update_vectors,
    ("POST", "points"): _retrieve,
    ("POST", "points/delete"): lambda engine, name, body: _plain(
        engine.delete(name, models.PointIdsList.model_validate(body))
    ),
    ("POST", "points/scroll"): _scroll,
    ("POST", "points/query/batch"): _query,
    ("POST", "points/count"): lambda engine, name, body: _plain(engine.count(name, exact=body["exact"])),
}
