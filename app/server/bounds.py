"""How large a request may be: counted as it arrives, whatever its headers say."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.server.errors import Refusal, refuse
from app.settings.schema import Serve

UPLOADS = "/v1/documents"


class Bounds:
    """Middleware that refuses bodies beyond the limit with status 413.

    Parameters
    ----------
    app
        What is protected.
    serve
        Holds the limits.
    """

    def __init__(self, app: ASGIApp, serve: Serve) -> None:
        self._app = app
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._serve.largest_upload if scope["path"].startswith(UPLOADS) else self._serve.largest_body
        told = Headers(scope=scope).get("Content-Length", "")
        if told.isdecimal() and int(told) > limit:
            await refuse(too_large(limit), scope, receive, send)
            return
        await self._app(scope, counted(receive, limit), send)


def counted(receive: Receive, limit: int) -> Receive:
    """``receive``, raising the refusal once more than ``limit`` bytes came."""
    taken = 0

    async def take() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise too_large(limit)
        return message

    return take


def too_large(limit: int) -> Refusal:
    """The refusal of a body of more than ``limit`` bytes."""
    return Refusal(413, f"The request has more than {limit:,} bytes.", "Divide it, or raise the limit in [serve].")
