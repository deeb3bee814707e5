"""``/v1/retrieve``: the route and the evidence of a question; no language model is needed."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request

from app.access.audited import audited
from app.server.access import Asker, System
from app.server.documentation import refusals
from app.server.gone import while_there
from app.server.past import exchanges
from app.server.responses import Json
from app.server.schemas import RetrieveRequest
from app.server.service import Service
from app.server.shapes import RetrieveResponse
from app.telemetry.trace import current_trace
from generators.writing.dependent import dependent

if TYPE_CHECKING:
    from app.symposium import Symposium
    from retrievers.evidence import Evidence, Route

router = APIRouter(tags=["questions"])


@router.post(
    "/v1/retrieve",
    response_model=RetrieveResponse,
    responses=refusals(400, 409, 413, 422, 503),
    summary="Find evidence for a question",
)
async def retrieve(service: System, principal: Asker, asked: RetrieveRequest, request: Request) -> Json:
    """Route a question and gather the passages for it."""
    began = time.perf_counter()
    symposium = await service.seen_by(principal)
    with audited(service.audit, principal, "retrieve", question=asked.question) as entry:
        route, evidence = await while_there(request.receive, _found(service, symposium, asked))
        entry.experts = route.experts
    found: dict[str, Any] = {"route": route.to_dict(), "evidence": [item.to_dict() for item in evidence]}
    return Json({**found, "seconds": time.perf_counter() - began, "trace": current_trace()})


async def _found(service: Service, symposium: Symposium, asked: RetrieveRequest) -> tuple[Route, tuple[Evidence, ...]]:
    """Route and evidence; a follow-up waits for the language model, which is asked what it means."""
    retrieve = partial(
        symposium.retrieve,
        asked.question,
        experts=asked.experts,
        forbid=asked.forbid,
        retrieval=asked.retrieval,
        passages=asked.passages,
        before=exchanges(asked.before),
    )
    if not (asked.before and dependent(asked.question)):
        return await service.call(retrieve)
    with service.turns.admit() as turn:
        await turn.take()
        return await service.call(retrieve)
