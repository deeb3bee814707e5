"""``/v1/chat/completions`` and ``/v1/models``: for programs that speak to OpenAI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from app.access.principal import Principal
from app.server import errors, openai
from app.server.access import Asker, System
from app.server.asking import Asking, Done, Question, Step
from app.server.documentation import Responses, refusals
from app.server.gone import while_there
from app.server.openai_schemas import Completion, CompletionRequest, Model, Models
from app.server.responses import Json
from app.server.service import Service
from app.server.sse import EVENTS, EventStream, data
from generators.events import Token

router = APIRouter(tags=["openai"])

_STREAM: Responses = {
    200: {"description": "The answer; with `stream` chunks of it as `data`, and `[DONE]`.", "content": EVENTS}
}
_COMPLETING: Responses = {**_STREAM, **refusals(400, 404, 409, 413, 422, 502, 503, openai=True)}


@router.post(
    "/v1/chat/completions", response_model=Completion, responses=_COMPLETING, summary="Ask as OpenAI's API does"
)
async def complete(service: System, principal: Asker, asked: CompletionRequest, request: Request) -> Response:
    """The last message is the question, those before it are what it is understood by.

    Content holds the checked answer with `[n]`; the field `symposia` has verdict, citations and everything else. In a
    stream, pieces of the draft come as `symposia.draft` while it is written, and the content once it has been checked.
    """
    text, before = openai.asked(asked.messages)
    experts = asked.experts
    if expert := openai.expert_of(asked.model):
        await _check(service, principal, asked.model)
        experts = [expert]
    asking = Asking(service, Question(principal, text, experts, asked.forbid, asked.retrieval, before))
    try:
        if asked.stream:
            first, steps = await asking.begun(request.receive)
            counted = asked.stream_options is not None and asked.stream_options.include_usage
            return EventStream(_written(asked.model, first, steps, counted), asking.stop)
        done = await while_there(request.receive, asking.done())
        return Json(openai.completion(asked.model, done.answer))
    except BaseException:
        await asking.stop()
        raise


@router.get("/v1/models", response_model=Models, responses=refusals(503, openai=True), summary="List what can be asked")
async def models(service: System, principal: Asker) -> dict[str, Any]:
    """`symposia`, and `symposia/EXPERT` for every expert that the key sees."""
    return openai.models(await _experts(service, principal))


@router.get(
    "/v1/models/{model:path}",
    response_model=Model,
    responses=refusals(404, 422, 503, openai=True),
    summary="Look up what can be asked",
)
async def model(
    service: System,
    principal: Asker,
    model: Annotated[str, Path(min_length=1, max_length=200, examples=["symposia"])],
) -> dict[str, Any]:
    """One of those that are listed."""
    await _check(service, principal, model)
    return openai.model(model)


async def _check(service: Service, principal: Principal, model: str) -> None:
    expert = openai.expert_of(model)
    if expert and expert not in await _experts(service, principal):
        raise openai.unknown(model)


async def _experts(service: Service, principal: Principal) -> list[str]:
    symposium = await service.seen_by(principal)
    return [card.name for card in await service.call(symposium.experts)]


async def _written(name: str, first: Step, steps: AsyncIterator[Step], counted: bool) -> AsyncIterator[bytes]:
    yield data(openai.opening(name))
    try:
        for chunk in openai_chunks(name, first, counted):
            yield chunk
        async for step in steps:
            for chunk in openai_chunks(name, step, counted):
                yield chunk
    except Exception as error:  # noqa: BLE001 (the response has begun: its status can no longer tell)
        yield data(errors.body("/v1/chat/completions", errors.as_refusal(error)))
        return
    yield data("[DONE]")


def openai_chunks(name: str, step: Step, counted: bool) -> list[bytes]:
    """What a client of OpenAI learns of one step."""
    if isinstance(step, Token):
        return [data(openai.drafted(name, step.text))]
    if isinstance(step, Done):
        return [data(chunk) for chunk in openai.closing(name, step.answer, counted=counted)]
    return []
