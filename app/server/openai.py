"""An answer in OpenAI's words: messages become a question, an answer a message with ``[n]`` and an extension field.

Programs that speak to OpenAI render what they get as Markdown: the message holds nothing that comes alive there. The
extension field has the answer as it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from app.conversations.past import latest
from app.markdown import tame
from app.server.errors import Refusal
from app.server.openai_schemas import MODEL, Chunk, Message
from app.telemetry.trace import current_trace
from generators.answer import Answer
from generators.inert import in_line, inert
from generators.writing.follow_up import Exchange

_MARKS = re.compile(r" ?\[(?:\d+|unsupported)\]")
_PIECE = re.compile(r"\s*\S+\s*")


def asked(messages: Sequence[Message]) -> tuple[str, tuple[Exchange, ...]]:
    """The question, which is the last message and the user's, and the exchanges before it."""
    last = messages[-1]
    if last.role != "user":
        raise Refusal(422, f"The last message is the {last.role}'s.", "End the messages with one of the role user.")
    return last.said, exchanges(messages[:-1])


def exchanges(messages: Sequence[Message]) -> tuple[Exchange, ...]:
    """Each answer with the last question before it; marks of citations are left out."""
    found, question = [], ""
    for message in messages:
        if message.role == "user":
            question = message.said
        elif message.role == "assistant" and question and message.said:
            found.append(Exchange(question, _MARKS.sub("", message.said)))
            question = ""
    return latest(found)


def expert_of(model: str) -> str:
    """The expert that a model's name stands for; empty where it is the panel."""
    name, slash, expert = model.partition("/")
    if name != MODEL or (slash and not expert):
        raise unknown(model)
    return expert


def unknown(model: str) -> Refusal:
    """There is no such model."""
    return Refusal(404, f"There is no model {model!r}.", "GET /v1/models lists them.")


def models(experts: Sequence[str]) -> dict[str, Any]:
    """The panel, and each expert alone."""
    names = [MODEL, *(f"{MODEL}/{expert}" for expert in experts)]
    return {"object": "list", "data": [model(name) for name in names]}


def model(name: str) -> dict[str, Any]:
    """A name that can be asked."""
    return {"id": name, "object": "model", "created": 0, "owned_by": MODEL}


def completion(name: str, answer: Answer) -> dict[str, Any]:
    """The answer in one piece."""
    message = {"role": "assistant", "content": tame(answer.marked), "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    head = _head(name, "chat.completion")
    return {**head, "choices": [choice], "usage": usage(answer), "symposia": extension(answer)}


def opening(name: str) -> Chunk:
    """The first piece of a stream."""
    return _chunk(name, {"role": "assistant", "content": ""})


def drafted(name: str, text: str) -> Chunk:
    """A piece of the draft, which is no part of the message: its text may not survive the check."""
    return _chunk(name, {"content": ""}) | {"symposia": {"draft": text}}


def closing(name: str, answer: Answer, *, counted: bool) -> Iterator[Chunk]:
    """The checked answer piece by piece, then the end with the extension field, then the usage where it is wanted."""
    for piece in _PIECE.findall(tame(answer.marked)):
        yield _chunk(name, {"content": piece})
    yield _chunk(name, {}, "stop") | {"symposia": extension(answer)}
    if counted:
        yield {**_head(name, "chat.completion.chunk"), "choices": [], "usage": usage(answer)}


def extension(answer: Answer) -> dict[str, Any]:
    """What OpenAI's format has no field for."""
    return {
        "verdict": answer.verdict.value,
        "citations": [_cited(answer, item.number) for item in answer.cited],
        "answer": answer.to_dict(),
        "trace": current_trace(),
    }


def usage(answer: Answer) -> dict[str, int]:
    """Words and marks of question and answer."""
    prompt, written = len(_PIECE.findall(answer.question)), len(_PIECE.findall(answer.marked))
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def _cited(answer: Answer, number: int) -> dict[str, Any]:
    item = next(item for item in answer.evidence if item.number == number)
    passage = item.passage
    quotes = [inert(passage.text[c.start : c.end]) for c in answer.citations if c.number == number]
    return {
        "number": number,
        "expert": item.expert,
        "title": in_line(passage.title),
        "source": in_line(passage.source),
        "place": in_line(passage.place),
        "date": in_line(passage.date),
        "document_id": passage.document_id,
        "passage_id": passage.id,
        "quotes": list(dict.fromkeys(quotes)),
        "probability": item.probability,
    }


def _chunk(name: str, delta: dict[str, Any], end: str | None = None) -> Chunk:
    choice = {"index": 0, "delta": delta, "finish_reason": end, "logprobs": None}
    return {**_head(name, "chat.completion.chunk"), "choices": [choice]}


def _head(name: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{current_trace()}", "object": kind, "created": int(time.time()), "model": name}
