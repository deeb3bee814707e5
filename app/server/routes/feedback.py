"""``/v1/feedback``: whether an answer was helpful."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.access.audited import audited
from app.server.access import Asker, System
from app.server.documentation import refusals
from app.server.errors import Refusal
from app.server.schemas import FeedbackRequest
from indexes.errors import InputError

router = APIRouter(tags=["conversations"])


@router.post(
    "/v1/feedback",
    status_code=204,
    response_class=Response,
    responses=refusals(400, 404, 413, 422, 503),
    summary="Judge an answer",
)
async def feedback(service: System, principal: Asker, judged: FeedbackRequest) -> Response:
    """Say whether an answer that was kept was helpful. The last word counts."""
    with audited(service.audit, principal, "feedback"):
        try:
            judge = service.conversations.judge
            await service.call(judge, principal, judged.turn, judged.helpful, judged.comment)
        except InputError as error:
            raise Refusal(404, error.problem, error.fix) from error
    return Response(status_code=204)
