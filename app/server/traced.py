"""The outermost layer: a trace for every request, its measures, and the last resort for what nobody foresaw."""

from __future__ import annotations

import re
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.errors import as_refusal, refuse
from app.server.metrics import Metrics
from app.telemetry.trace import fresh, using

HEADER = "X-Trace-Id"

_PARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


class Traced:
    """Middleware around everything.

    Parameters
    ----------
    app
        What is measured.
    metrics
        Where it is counted.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace, began, status = trace_of(Headers(scope=scope).get("traceparent", "")), time.perf_counter(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = trace
                headers["X-Content-Type-Options"] = "nosniff"  # what documents say is never taken for a page
            await send(message)

        with using(trace), self._metrics.in_flight.track_inprogress():
            try:
                await self._app(scope, receive, sending)
            except Exception as error:  # noqa: BLE001 (the edge of the process)
                refusal = as_refusal(error)
                if not status:
                    await refuse(refusal, scope, receive, sending)
            finally:
                self._count(scope, status, time.perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        # The pattern, not the path: paths hold ids, and anybody can make up any number of them.
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in {"GET", "POST", "DELETE", "HEAD"} else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)


def trace_of(parent: str) -> str:
    """The trace id of a W3C ``traceparent`` header, or a new one where it holds none."""
    match = _PARENT.fullmatch(parent.strip())
    return match[1] if match and not parent.startswith("ff") else fresh()
