"""``/v1/documents``: what the experts know."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi import Path as InPath
from fastapi.responses import Response

from app.library import AddReport
from app.server.access import Asker, System, Writer
from app.server.audited import audited
from app.server.documentation import refusals
from app.server.errors import Refusal
from app.server.gone import while_there
from app.server.responses import Json
from app.server.schemas import Name, TextRequest
from app.server.service import Service
from app.server.shapes import Added, Documents
from indexes.errors import InputError
from indexes.passage import Document

router = APIRouter(tags=["documents"])

FILES = 1000  # in one upload
LONGEST_NAME = 200  # characters

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
        total, cards = await service.call(symposium.library.documents, expert, offset, limit, like)
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
        return symposium.library.add_documents(
            [document], given.expert, given.description, replacing=given.replace, cancelled=cancelled
        )

    async with audited(service, principal, "add", [given.expert]):
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
        list[UploadFile], File(description="Text, Markdown, HTML, PDF, DOCX or JSONL.", min_length=1, max_length=FILES)
    ],
    description: Annotated[str, Form(max_length=500, description="Of an expert that is new.")] = "",
    replace: Annotated[bool, Form(description="Whether a changed document takes its earlier version's place.")] = False,
) -> Json:
    """Read files into an expert's slice. A file that cannot be read is reported, and the rest goes on."""
    symposium = await service.seen_by(principal)

    def add(cancelled: Callable[[], bool]) -> AddReport:
        with TemporaryDirectory(prefix="symposia-upload-") as name:
            folder = Path(name).resolve()
            paths = kept(files, folder)
            return symposium.add(paths, expert, description, below=folder, replacing=replace, cancelled=cancelled)

    async with audited(service, principal, "add", [expert]):
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
    async with audited(service, principal, "delete", [expert]), service.adding:
        try:
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


def kept(files: Sequence[UploadFile], folder: Path) -> list[Path]:
    """Write uploaded files into a folder under the names that people gave them; of equal names, each in a folder of its own."""
    paths: list[Path] = []
    for number, file in enumerate(files, start=1):
        path = folder / safe(file.filename or "")
        if path in paths:
            path = folder / str(number) / path.name
            path.parent.mkdir()
        with path.open("wb") as written:
            shutil.copyfileobj(file.file, written)
        paths.append(path)
    return paths


def safe(name: str) -> str:
    """The last part of a file's name, without what a file system takes for something else."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(". ")
    stem, dot, suffix = plain.rpartition(".")
    while len(plain.encode(errors="replace")) > LONGEST_NAME and stem:
        stem = stem[:-1]
        plain = f"{stem}{dot}{suffix}"
    return plain[-LONGEST_NAME:].encode(errors="replace").decode() or "unnamed"
