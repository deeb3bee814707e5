"""Which hosts a server without keys answers for: a page elsewhere must not reach it through somebody's browser.

By DNS rebinding a page's own name is made to point at this machine, so the ``Host`` header must be one of ours. A form or
an image of another page needs no such trick to send a request, so its ``Origin`` must be ours, too.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.errors import Refusal, refuse

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_REFUSED = "Use http://127.0.0.1, or serve with keys: `symposia keys create`."


class Hosts:
    """Middleware that refuses requests meant for other hosts, or sent by other sites.

    Parameters
    ----------
    app
        What is protected.
    hosts
        Names and addresses that the server answers to.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] = LOOPBACK) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] == "http" and (refusal := self._refusal(Headers(scope=scope))):
            await refuse(refusal, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> Refusal | None:
        if host_of(f"//{headers.get('Host', '')}") not in self._hosts:
            return Refusal(
                421, f"This server does not answer for the host {headers.get('Host', '')[:100]!r}.", _REFUSED
            )
        origin = headers.get("Origin")
        if origin is not None and host_of(origin) not in self._hosts:
            return Refusal(403, f"A page of {origin[:100]!r} may not use this server.", _REFUSED)
        return None


def host_of(url: str) -> str:
    """The host of an address in lower case, without its port; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
