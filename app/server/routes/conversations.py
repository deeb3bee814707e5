"""``/v1/conversations``: what was asked before, by whoever asks now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.access.audited import audited
from app.server.access import Asker, System
from app.server.documentation import refusals
from app.server.errors import not_found
from app.server.responses import Json
from app.server.shapes import Conversations, Turns
from indexes.errors import InputError

router = APIRouter(tags=["conversations"])

Id = Annotated[
    str, Path(min_length=1, max_length=64, description="Id of a conversation.", examples=["8f14e45fceea467c8f14e45f"])
]
MARKDOWN = "text/markdown; charset=utf-8"


@router.get(
    "/v1/conversations", response_model=Conversations, responses=refusals(503), summary="List the conversations"
)
async def listed(service: System, principal: Asker) -> Json:
    """One's own, the last changed first."""
    found = await service.call(service.conversations.list, principal)
    return Json({"conversations": [conversation.to_dict() for conversation in found]})


@router.get(
    "/v1/conversations/{conversation}",
    response_model=Turns,
    responses=refusals(404, 422, 503),
    summary="Read a conversation",
)
async def turns(service: System, principal: Asker, conversation: Id) -> Json:
    """The turns of a conversation in order."""
    try:
        found = await service.call(service.conversations.turns, principal, conversation)
    except InputError as error:
        raise not_found("conversation", conversation) from error
    return Json({"turns": [turn.to_dict() for turn in found]})


@router.get(
    "/v1/conversations/{conversation}/markdown",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}, **refusals(404, 422, 503)},
    summary="Export a conversation",
)
async def markdown(service: System, principal: Asker, conversation: Id) -> Response:
    """The conversation as Markdown, with its sources."""
    try:
        text = await service.call(service.conversations.markdown, principal, conversation)
    except InputError as error:
        raise not_found("conversation", conversation) from error
    return Response(text.encode(errors="replace"), media_type=MARKDOWN)


@router.delete(
    "/v1/conversations/{conversation}",
    status_code=204,
    response_class=Response,
    responses=refusals(404, 422, 503),
    summary="Delete a conversation",
)
async def delete(service: System, principal: Asker, conversation: Id) -> Response:
    """Delete a conversation with all its turns and what was thought of them."""
    with audited(service.audit, principal, "delete conversation"):
        try:
            await service.call(service.conversations.delete, principal, conversation)
        except InputError as error:
            raise not_found("conversation", conversation) from error
    return Response(status_code=204)
