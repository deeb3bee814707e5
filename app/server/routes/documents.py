"""``/v1/documents``: what the experts know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import Response

from app.access.audited import audited
from app.library import AddReport
from app.server.access import Asker, System, Writer
from app.server.documentation import refusals
from app.server.errors import Refusal
from app.server.gone import while_there
from app.server.responses import Json
from app.server.schemas import Name, TextRequest
from app.server.service import Service
from app.server.shapes import Added, Documents
from app.uploads import kept
from indexes.errors import InputError
from indexes.passage import Document

router = APIRouter(tags=["documents"])

FILES = 1000  # in one upload

Expert = Annotated[str, Query(min_length=1, max_length=64, description="Whose documents.", examples=["countries"])]
Offset = Annotated[int, Query(ge=0, le=1_000_000_000, description="How many to leave out.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Like = Annotated[str, Query(max_length=200, description="Only those whose title, source, key or id has this text.")]
Id = Annotated[
    str,
    InPath(
        min_length=1,
        max_length=64,
        description="Id of a document.",
        examples=["5f0c8f6e-2b43-5d0a-9c55-7d1b1c6a3e21"],
    ),
]
_ADDING = refusals(400, 409, 413, 422, 503)

Adding = Callable[[Callable[[], bool]], AddReport]


@router.get(
    "/v1/documents",
    response_model=Documents,
    responses=refusals(404, 409, 422, 503),
    summary="List an expert's documents",
)
async def listed(
    service: System, principal: Asker, expert: Expert, offset: Offset = 0, limit: Limit = 50, like: Like = ""
) -> Json:
    """Documents by title."""
    symposium = await service.seen_by(principal)
    try:
        total, cards = await service.call(symposium.documents, expert, offset, limit, like)
    except InputError as error:
        raise Refusal(404, error.problem, error.fix) from error
    return Json({"total": total, "offset": offset, "documents": [card.to_dict() for card in cards]})


@router.post(
    "/v1/documents", response_model=Added, status_code=201, responses=_ADDING, summary="Add a document as text"
)
async def add_text(service: System, principal: Writer, given: TextRequest, request: Request) -> Json:
    """Split and embed a text into an expert's slice. What is there already costs nothing."""
    symposium = await service.seen_by(principal)
    document = Document(given.text, title=given.title, source=given.source, date=given.date)

    def add(cancelled: Callable[[], bool]) -> AddReport:
        return symposium.add_documents(
            [document], given.expert, given.description, replacing=given.replace, cancelled=cancelled
        )

    with audited(service.audit, principal, "add", [given.expert]):
        return await _added(service, add, request)


@router.post(
    "/v1/documents/upload", response_model=Added, status_code=201, responses=_ADDING, summary="Add documents as files"
)
async def upload(
    service: System,
    principal: Writer,
    request: Request,
    expert: Annotated[
        Name, Form(description="Whose slice they go to; made where there is none.", examples=["orchard"])
    ],
    files: Annotated[
        list[UploadFile],
        File(description="Text, Markdown, HTML, PDF, DOCX, JSONL, CSV or TSV.", min_length=1, max_length=FILES),
    ],
    description: Annotated[str, Form(max_length=500, description="Of an expert that is new.")] = "",
    replace: Annotated[bool, Form(description="Whether a changed document takes its earlier version's place.")] = False,
) -> Json:
    """Read files into an expert's slice. A file that cannot be read is reported, and the rest goes on."""
    symposium = await service.seen_by(principal)

    def add(cancelled: Callable[[], bool]) -> AddReport:
        with TemporaryDirectory(prefix="symposia-upload-") as name:
            folder = Path(name).resolve()
            paths = kept([(file.filename or "", file.file) for file in files], folder)
            return symposium.add(paths, expert, description, below=folder, replacing=replace, cancelled=cancelled)

    with audited(service.audit, principal, "add", [expert]):
        return await _added(service, add, request)


@router.delete(
    "/v1/documents/{document}",
    status_code=204,
    response_class=Response,
    responses=refusals(404, 409, 422, 503),
    summary="Delete a document",
)
async def delete(service: System, principal: Writer, document: Id, expert: Expert) -> Response:
    """Delete a document with all its passages from an expert's slice."""
    symposium = await service.seen_by(principal)
    with audited(service.audit, principal, "delete", [expert]):
        try:
            async with service.adding:
                removed = await service.call(symposium.remove_documents, expert, [document])
        except InputError as error:
            raise Refusal(404, error.problem, error.fix) from error
        if not removed:
            raise Refusal(404, f"Expert {expert!r} has no document {document!r}.", "List them: GET /v1/documents.")
    return Response(status_code=204)


async def _added(service: Service, add: Adding, request: Request) -> Json:
    """Add, one request at a time; a client that goes away ends it after the document that is being read."""

    async def work() -> AddReport:
        async with service.adding:
            return await service.stoppable(lambda gone: add(gone.is_set))

    report = await while_there(request.receive, work())
    return Json(report.to_dict(), 201)
