"""``/healthz``, ``/readyz``, ``/metrics``: for those who run the server."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.server.access import Administrator, System
from app.server.documentation import refusals
from app.server.errors import Refusal
from app.server.shapes import Health, Readiness

router = APIRouter(tags=["operation"])


@router.get("/healthz", response_model=Health, responses={421: refusals()[421]}, summary="Does the process live?")
async def healthz() -> dict[str, str]:
    """Always fine while the process can answer at all."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model=Readiness,
    responses={421: refusals()[421], 503: {"model": Readiness, "description": "Not yet."}},
    summary="May requests be sent here?",
)
async def readyz(service: System, response: Response) -> dict[str, Any]:
    """Ready once the models are in memory, unless there are experts and none of them can be asked.

    With no experts at all it is ready, too: documents that make one can be added here. Until then `experts` is 0, and
    questions are answered with 409.

    Where keys are asked for, the models alone count: how the experts are is for the keys that see them, at /v1/experts.
    """
    warm = service.warming is not None and service.warming.done()
    models = "loading" if not warm else "loaded" if service.loaded else "missing"
    fine = broken = None
    if service.keys is None:
        cards = await service.call(service.symposium.experts) if warm else []
        broken = sum(bool(card.problem) for card in cards)
        fine = len(cards) - broken
    ready = service.loaded and bool(fine or not broken)
    response.status_code = 200 if ready else 503
    return {"ready": ready, "models": models, "experts": fine, "broken": broken}


@router.get(
    "/metrics",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **refusals()},
    response_class=Response,
    summary="Measures for Prometheus",
)
async def metrics(service: System, principal: Administrator) -> Response:
    """Requests, verdicts, seconds of stages, tokens, requests in flight, and the queue."""
    if principal.experts is not None:
        raise Refusal(403, "The measures are of all experts, and this key sees some.", "Use a key for all experts.")
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
