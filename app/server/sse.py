"""Server-sent events: one line with the name, one with JSON, one blank."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from app.server.gone import ClientGone, while_there
from app.server.responses import as_json

KIND = "text/event-stream"
EVENTS = {
    KIND: {
        "schema": {
            "type": "object",
            "description": "One event of the stream; `data` is JSON.",
            "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
            "required": ["data"],
        }
    }
}
"""How the OpenAPI document describes a stream."""
PULSE = 15.0  # seconds of silence after which a comment tells proxies that the connection lives


def event(name: str, values: Mapping[str, Any]) -> bytes:
    """One named event."""
    return f"event: {name}\ndata: {as_json(values)}\n\n".encode(errors="replace")


def data(values: Mapping[str, Any] | str) -> bytes:
    """One event without a name, as OpenAI sends them."""
    return f"data: {values if isinstance(values, str) else as_json(values)}\n\n".encode(errors="replace")


class EventStream(Response):
    """Sends pieces as they come; ends them when the client goes away.

    Parameters
    ----------
    pieces
        What is sent.
    ended
        Awaited at the end, however it ends.
    """

    media_type = KIND

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        ended: Callable[[], Awaitable[None]],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code = 200
        self.background = None
        self._pieces = pieces
        self._ended = ended
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no", **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, or stop."""
        del scope
        try:
            with suppress(ClientGone, OSError):
                await while_there(receive, self._send(send))
        finally:
            await self._ended()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in with_pulse(self._pieces, PULSE):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def with_pulse(pieces: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The pieces, with a comment wherever none came for so long."""
    coming = _next(pieces)
    try:
        while True:
            if not (await asyncio.wait([coming], timeout=seconds))[0]:
                yield b": still here\n\n"
            elif (piece := coming.result()) is None:
                return
            else:
                yield piece
                coming = _next(pieces)
    finally:
        coming.cancel()


def _next(pieces: AsyncIterator[bytes]) -> asyncio.Future[bytes | None]:
    return asyncio.ensure_future(anext(pieces, None))
