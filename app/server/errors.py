"""Every way in which a request can fail, as one body: ``{"error": {"problem", "fix", "type", "trace"}}``."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.types import Receive, Scope, Send

from app.access.limits import TooOftenError
from app.server.responses import Json
from app.telemetry.trace import current_trace
from app.turns import QueueFullError
from indexes.errors import (
    InputError,
    MissingModelError,
    ServerError,
    SettingsError,
    SliceError,
    StoreError,
    SymposiaError,
)

log = logging.getLogger(__name__)

OPENAI = ("/v1/chat/", "/v1/models")
"""Paths whose clients read errors as OpenAI writes them."""

GONE = 499
"""Status in the log and in the metrics of a request whose client went away; nobody receives it."""

TYPES: Mapping[int, str] = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    421: "misdirected",
    422: "invalid_request",
    429: "rate_limited",
    499: "client_gone",
    500: "internal",
    502: "upstream",
    503: "unavailable",
}
STATUSES: Mapping[type[SymposiaError], int] = {  # the first that fits
    TooOftenError: 429,
    QueueFullError: 503,
    InputError: 422,
    SliceError: 409,
    SettingsError: 500,
    MissingModelError: 503,
    StoreError: 503,
    ServerError: 502,
}
_PLAIN: Mapping[int, tuple[str, str]] = {
    400: ("The body of the request cannot be read.", "Send what its Content-Type says."),
    404: ("There is nothing at this address.", "/openapi.json lists what there is."),
    405: ("This address does not take that method.", "/openapi.json lists what it takes."),
}
LATER = 10.0  # seconds after which what is not to be had may be had again
_MOST = 5  # mistakes in one request that are told


class Refusal(HTTPException):
    """A request that is not served, with what to do about it.

    Parameters
    ----------
    status
        Of HTTP.
    retry
        Seconds after which it may be tried again, for the header ``Retry-After``.
    """

    def __init__(
        self,
        status: int,
        problem: str,
        fix: str,
        *,
        retry: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        later = {} if retry is None else {"Retry-After": str(max(1, math.ceil(retry)))}
        super().__init__(status, problem, {**(headers or {}), **later})
        self.problem = problem
        self.fix = fix


def not_found(what: str, name: str) -> Refusal:
    """There is none of that name, or none that the one who asks may see."""
    return Refusal(404, f"There is no {what} {name!r}.", f"List what there is: GET /v1/{what}s.")


def refusal_of(error: SymposiaError) -> Refusal:
    """The error as an answer over HTTP: its kind decides the status."""
    status = next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 500)
    retry = error.retry if isinstance(error, TooOftenError | QueueFullError) else LATER if status == 503 else None
    return Refusal(status, error.problem, error.fix, retry=retry)


def defect() -> Refusal:
    """An error that is none of ours: the client learns the trace, the log has the rest."""
    return Refusal(
        500, "This is a defect in Symposia.", "Report it with the trace; the server's log tells what happened under it."
    )


def misconfigured() -> Refusal:
    """What is wrong with the server's settings is for those who run it, and in the log."""
    return Refusal(
        500, "The server is not set up as it should be.", "Tell whoever runs it; the log tells what is wrong."
    )


def body(path: str, refusal: Refusal) -> dict[str, Any]:
    """The error's body; below the paths of OpenAI with the fields that its clients read."""
    kind, trace = TYPES.get(refusal.status_code, "error"), current_trace()
    told: dict[str, Any] = {"problem": refusal.problem, "fix": refusal.fix, "type": kind, "trace": trace}
    if path.startswith(OPENAI):
        told = {"message": f"{refusal.problem} {refusal.fix}", "param": None, "code": kind, **told}
    return {"error": told}


def response(path: str, refusal: Refusal) -> Json:
    """The refusal as a response."""
    return Json(body(path, refusal), refusal.status_code, refusal.headers)


async def refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request with a refusal, from a middleware."""
    await response(scope["path"], refusal)(scope, receive, send)


def install(app: FastAPI) -> None:
    """Let every error that a route raises become a response."""

    async def refused(request: Request, error: Exception) -> Json:
        return response(request.url.path, as_refusal(error))

    for kind in (AnyHTTPException, RequestValidationError, SymposiaError):
        app.add_exception_handler(kind, refused)


def as_refusal(error: Exception) -> Refusal:
    """Any error as a refusal; one that is not foreseen is logged with its traceback."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, SymposiaError):
        refusal = refusal_of(error)
        if refusal.status_code >= 500 and not isinstance(error, QueueFullError):
            log.warning("%s: %s (trace %s)", type(error).__name__, error.problem, current_trace())
        return refusal if refusal.status_code != 500 else misconfigured()
    if isinstance(error, RequestValidationError):
        return Refusal(422, mistakes(error.errors()), "/openapi.json says what this address takes, with examples.")
    if isinstance(error, AnyHTTPException):
        problem, fix = _PLAIN.get(error.status_code, (str(error.detail), "/openapi.json says what is taken."))
        return Refusal(error.status_code, problem, fix, headers=error.headers)
    log.error("A defect under trace %s", current_trace(), exc_info=error)
    return defect()


def mistakes(errors: Sequence[Mapping[str, Any]]) -> str:
    """What does not fit in a request, in words; what was sent is not repeated."""
    told = [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors[:_MOST]]
    more = [f"and {len(errors) - _MOST} more"] if len(errors) > _MOST else []
    return "The request does not fit: " + "; ".join([*told, *more]) + "."
