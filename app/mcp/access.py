"""Who calls: over stdio whoever holds the key in the environment, over HTTP whoever sends one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.principal import LOCAL, Principal
from indexes.errors import InputError, SettingsError

if TYPE_CHECKING:
    from app.access.keys import Keys

VARIABLE = "SYMPOSIA_KEY"
"""The environment variable that holds the key of a server on stdio."""

_PRINCIPAL: ContextVar[Principal | None] = ContextVar("symposia_mcp_principal", default=None)
_BAD = "The key is not known, has been revoked, or has expired."
_NEW = "Make a new one with `symposia keys create NAME`"


def from_environment(keys: Keys, *, required: bool, env: Mapping[str, str] | None = None) -> Callable[[], Principal]:
    """Gives the principal of the key in ``SYMPOSIA_KEY``, asked anew at each call: a key may be revoked meanwhile.

    Raises
    ------
    SettingsError
        There is none and one is required, or it is not valid.
    """
    secret = (os.environ if env is None else env).get(VARIABLE, "").strip()
    if not secret:
        if required:
            raise SettingsError(
                f"access.required is true, but the environment variable {VARIABLE} holds no key.",
                f"{_NEW}, and put it into the server's environment in the client's settings.",
            )
        return lambda: LOCAL

    def principal() -> Principal:
        found = keys.principal(secret)
        if found is None:
            raise SettingsError(f"{VARIABLE}: {_BAD}", f"{_NEW}, and put it there.")
        return found

    principal()
    return principal


def caller() -> Principal:
    """Who sent the HTTP request that is being served."""
    found = _PRINCIPAL.get()
    if found is None:
        raise InputError("Nobody is known to have sent this request.", "Send it through the server's HTTP address.")
    return found


class Bearer:
    """Middleware that lets in who sends a valid key, and whoever sends none where none is required.

    Parameters
    ----------
    app
        What is protected.
    keys
        Who may come in.
    required
        Whether a key must be sent.
    """

    def __init__(self, app: ASGIApp, keys: Keys, *, required: bool) -> None:
        self._app = app
        self._keys = keys
        self._required = required

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        principal = self._principal(Headers(scope=scope).get("Authorization", ""))
        if isinstance(principal, JSONResponse):
            await principal(scope, receive, send)
            return
        token = _PRINCIPAL.set(principal)
        try:
            await self._app(scope, receive, send)
        finally:
            _PRINCIPAL.reset(token)

    def _principal(self, header: str) -> Principal | JSONResponse:
        scheme, _, secret = header.partition(" ")
        if not header and not self._required:
            return LOCAL
        if scheme.lower() != "bearer" or not secret.strip():
            return _refusal("No key was sent.", "Send one: `Authorization: Bearer KEY`.")
        return self._keys.principal(secret.strip()) or _refusal(_BAD, f"{_NEW}.")


def _refusal(problem: str, fix: str) -> JSONResponse:
    body = {"error": {"problem": problem, "fix": fix, "type": "unauthorized"}}
    return JSONResponse(body, status_code=401, headers={"WWW-Authenticate": "Bearer"})
