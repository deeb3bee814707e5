"""``/v1/ask``: one answer, as JSON or as server-sent events."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response

from app.server import errors
from app.server.access import Asker, System
from app.server.asking import Asking, Done, Question, Step, Waiting
from app.server.documentation import Responses, refusals
from app.server.gone import while_there
from app.server.past import exchanges, of_conversation
from app.server.responses import Json
from app.server.schemas import AskRequest
from app.server.shapes import AskResponse
from app.server.sse import EVENTS, KIND, EventStream, event
from app.telemetry.trace import current_trace
from generators.events import Answered, Checking, Found, Routed, Token, Understood

if TYPE_CHECKING:
    from generators.answer import Answer

router = APIRouter(tags=["questions"])

_EVENTS = """event: stage
data: {"stage":"route","seconds":0.0213}

event: route
data: {"decision":"retrieve","kind":"domain","experts":["countries"]}

event: source
data: {"number":1,"expert":"countries","probability":0.87}

event: token
data: {"text":"Tanzania"}

event: citation
data: {"text":"Tanzania.","start":0,"end":9,"status":"supported","citations":[{"number":1}]}

event: done
data: {"answer":{},"conversation":null,"turn":null,"unrecorded":null,"trace":"00000000000000000000000000000001"}
"""
_OK: Responses = {
    200: {
        "description": "The answer; or with `stream` or `Accept: text/event-stream` the events stage, understood, route,"
        f" source, token, citation, done, and error, such as\n\n```\n{_EVENTS}```\n",
        "content": EVENTS,
    }
}


@router.post(
    "/v1/ask",
    response_model=AskResponse,
    responses={**_OK, **refusals(400, 404, 409, 413, 422, 502, 503)},
    summary="Ask a question",
)
async def ask(service: System, principal: Asker, asked: AskRequest, request: Request) -> Response:
    """Answer a question from what the experts have indexed, with citations that were checked, or say that they do not know.

    Tokens are a draft: `done` holds the checked answer, whose text replaces them.
    """
    before = exchanges(asked.before)
    if asked.conversation is not None:
        before = await of_conversation(service, principal, asked.conversation)
    question = Question(
        principal,
        asked.question,
        asked.experts,
        asked.forbid,
        asked.retrieval,
        before,
        asked.conversation,
        asked.remember or asked.conversation is not None,
    )
    asking = Asking(service, question)
    try:
        if asked.stream or KIND in request.headers.get("Accept", ""):
            return await streamed(asking, request)
        return Json(done(await while_there(request.receive, asking.done())))
    except BaseException:
        await asking.stop()
        raise


async def streamed(asking: Asking, request: Request) -> EventStream:
    """Events as they come; what goes wrong before the first of them has a status of its own."""
    began = time.perf_counter()
    first, steps = await asking.begun(request.receive)
    return EventStream(_written(first, steps, began), asking.stop)


def done(step: Done) -> dict[str, Any]:
    """The answer and where it is kept."""
    kept = {"conversation": step.turn and step.turn.conversation, "turn": step.turn and step.turn.id}
    lost = step.unrecorded and {"problem": step.unrecorded.problem, "fix": step.unrecorded.fix}
    return {"answer": step.answer.to_dict(), **kept, "unrecorded": lost, "trace": current_trace()}


async def _written(first: Step, steps: AsyncIterator[Step], began: float) -> AsyncIterator[bytes]:
    for piece in pieces(first, began):
        yield piece
    try:
        async for step in steps:
            for piece in pieces(step, began):
                yield piece
    except Exception as error:  # noqa: BLE001 (the response has begun: its status can no longer tell)
        refusal = errors.as_refusal(error)
        yield event("error", errors.body("/v1/ask", refusal)["error"] | {"status": refusal.status_code})


def pieces(step: Step, began: float) -> Iterator[bytes]:
    """The events that tell of one step; a stage says how many seconds after the beginning it was reached."""
    if (stage := _STAGES.get(type(step))) is not None:
        more = {"ahead": step.ahead} if isinstance(step, Waiting) else {}
        yield event("stage", {"stage": stage, "seconds": round(time.perf_counter() - began, 4), **more})
    yield from _TELLING[type(step)](step)


def _understood(step: Understood) -> Iterator[bytes]:
    yield event("understood", {"question": step.question})


def _routed(step: Routed) -> Iterator[bytes]:
    yield event("route", step.route.to_dict())


def _found(step: Found) -> Iterator[bytes]:
    for item in step.evidence:
        yield event("source", item.to_dict())


def _token(step: Token) -> Iterator[bytes]:
    yield event("token", {"text": step.text, "divergence": step.divergence})


def _answered(step: Answered) -> Iterator[bytes]:
    yield from map(partial(event, "citation"), claims(step.answer))


def _done(step: Done) -> Iterator[bytes]:
    yield event("done", done(step))


def _nothing(_step: Step) -> Iterator[bytes]:
    yield from ()


def claims(answer: Answer) -> list[dict[str, Any]]:
    """The sentences of an answer with their citations."""
    listed: list[dict[str, Any]] = answer.to_dict()["claims"]
    return listed


_STAGES: Mapping[type, str] = {
    Waiting: "queue",
    Routed: "route",
    Found: "sources",
    Checking: "check",
    Answered: "answer",
}
_TELLING: Mapping[type, Callable[[Any], Iterator[bytes]]] = {
    Waiting: _nothing,
    Understood: _understood,
    Routed: _routed,
    Found: _found,
    Token: _token,
    Checking: _nothing,
    Answered: _answered,
    Done: _done,
}
