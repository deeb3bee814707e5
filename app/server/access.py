"""Who asks: a key's principal, found before a byte of the body is read, and how often it may ask."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.audited import Entry, note
from app.access.keys import PREFIX
from app.access.limits import TooOftenError
from app.access.open import keys_of
from app.access.principal import LOCAL, Action, Principal
from app.server.errors import Refusal, refusal_of, refuse
from app.server.service import Service, service_of
from indexes.errors import InputError

OPEN = ("/healthz", "/readyz", "/openapi.json")
"""Paths that need no key: they tell nothing about what is indexed or asked."""

_CHALLENGE = {"WWW-Authenticate": "Bearer"}


class Access:
    """Middleware that lets in who has a key, or everybody where none is asked for; a key that is sent counts there too.

    Parameters
    ----------
    app
        What is protected.
    service
        Holds the keys and the limits.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            try:
                scope.setdefault("state", {})["principal"] = await self._principal(Headers(scope=scope))
            except Refusal as refusal:
                await refuse(refusal, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _principal(self, headers: Headers) -> Principal:
        service = self._service
        scheme, _, secret = headers.get("Authorization", "").partition(" ")
        keys = service.keys
        if keys is None:
            if not secret.strip().startswith(PREFIX):  # many clients must send something
                return LOCAL
            keys = keys_of(service.symposium.settings)  # nobody need send a key, but one that is sent counts
        if scheme.lower() != "bearer" or not secret.strip():
            raise Refusal(401, "No key was sent.", "Send one: `Authorization: Bearer KEY`.", headers=_CHALLENGE)
        principal = await service.call(keys.principal, secret.strip())
        if principal is None:
            raise Refusal(
                401,
                "The key is not known, has been revoked, or has expired.",
                "Ask whoever runs the server for a new one: `symposia keys create`.",
                headers=_CHALLENGE,
            )
        if service.limits is not None:
            try:
                service.limits.check(principal.name)
            except TooOftenError as error:
                note(service.audit, principal, "request", Entry(outcome="rate limited"))
                raise refusal_of(error) from error
        return principal


def may(action: Action) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency: the principal of a request, which may do ``action``."""

    async def check(request: Request) -> Principal:
        principal: Principal = request.state.principal
        try:
            principal.check(action)
        except InputError as error:
            note(service_of(request).audit, principal, action.value, Entry(outcome="forbidden"))
            raise Refusal(403, error.problem, error.fix) from error
        return principal

    return check


Asker = Annotated[Principal, Depends(may(Action.ASK))]
Writer = Annotated[Principal, Depends(may(Action.WRITE))]
Administrator = Annotated[Principal, Depends(may(Action.ADMIN))]
System = Annotated[Service, Depends(service_of)]
