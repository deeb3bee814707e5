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
    summary="Can questions be answered?",
)
async def readyz(service: System, response: Response) -> dict[str, Any]:
    """Ready once the models are in memory and the slices are open; which experts there are is not told."""
    loading = service.warming is None or not service.warming.done()
    cards = [] if loading else await service.call(service.symposium.experts)
    broken = sum(bool(card.problem) for card in cards)
    fine = len(cards) - broken
    ready = service.loaded and (fine > 0 or not broken)
    response.status_code = 200 if ready else 503
    models = "loading" if loading else "loaded" if service.loaded else "missing"
    told = service.keys is None  # with keys, how many there are is for those who see them: GET /v1/experts
    return {"ready": ready, "models": models, "experts": fine if told else None, "broken": broken if told else None}


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
