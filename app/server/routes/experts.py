"""``/v1/experts``: who can be asked."""

from __future__ import annotations

from fastapi import APIRouter

from app.server.access import Asker, System
from app.server.documentation import refusals
from app.server.responses import Json
from app.server.shapes import Experts

router = APIRouter(tags=["experts"])


@router.get("/v1/experts", response_model=Experts, responses=refusals(503), summary="List the experts")
async def experts(service: System, principal: Asker) -> Json:
    """All experts that the key sees, by name, those with problems included."""
    symposium = await service.seen_by(principal)
    return Json({"experts": [card.to_dict() for card in await service.call(symposium.experts)]})
