"""The OpenAPI document: which refusals a route may answer with, and that a key is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from app.server.access import OPEN
from app.server.errors import TYPES
from app.server.shapes import Error, OpenAiError

Responses = dict[int | str, dict[str, Any]]

TITLE = "Symposia"
DESCRIPTION = "Ask a panel of domain experts; get one answer with citations that were checked, or an honest refusal."

_MEANINGS: Mapping[int, str] = {
    400: "The body cannot be read.",
    401: "No key, or none that is known.",
    403: "The key does not allow it.",
    404: "There is none, or none that the key sees.",
    409: "The experts are not in a state for it: none is there, or a slice is damaged.",
    413: "The body is too large.",
    421: "A server without keys answers for this machine only.",
    422: "Something in it does not fit.",
    429: "Too many requests; Retry-After says when to come again.",
    502: "The language model's server does not answer.",
    503: "The queue is full, or a model or the store is not there; Retry-After says when to come again.",
}
_ALWAYS = (401, 403, 421, 429)
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
_SAMPLE = {"problem": "There is no expert named 'x'.", "fix": "The experts are: countries.", "trace": "0" * 31 + "1"}


def refusals(*statuses: int, openai: bool = False) -> Responses:
    """Documentation of the refusals of a route; those that every route may give are always among them."""
    return {status: _refusal(status, openai) for status in sorted({*_ALWAYS, *statuses})}


def _refusal(status: int, openai: bool) -> dict[str, Any]:
    kind = TYPES[status]
    sample: dict[str, Any] = {**_SAMPLE, "type": kind}
    if openai:
        sample |= {"message": f"{sample['problem']} {sample['fix']}", "param": None, "code": kind}
    told: dict[str, Any] = {
        "model": OpenAiError if openai else Error,
        "description": _MEANINGS[status],
        "content": {"application/json": {"example": {"error": sample}}},
    }
    if status in (429, 503):
        told["headers"] = _RETRY
    return told


def document(app: FastAPI, *, keys: bool) -> None:
    """Complete the app's OpenAPI document, which is made at the first request for it."""
    plain = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = plain()
            if keys:
                made.setdefault("components", {})["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
                for path, operations in made["paths"].items():
                    for operation in operations.values():
                        operation["security"] = [] if path in OPEN else [{"key": []}]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]
