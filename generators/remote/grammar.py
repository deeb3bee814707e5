"""The grammar of a streamed chat completion: server-sent events of JSON, one choice, an end mark."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

End = Literal["", "end", "length"]

DATA, DONE = "data:", "[DONE]"
LONGEST_WHOLE = 1 << 22  # characters of an answer in one piece
SHOWN = 200  # characters of what could not be read that an error repeats
THOUGHT = ("<think>", "</think>")


class Garbled(Exception):  # noqa: N818 (a finding, turned into an error for people by ``refusals``)
    """What came is no chat completion, or is one that the server broke off."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event of a stream.

    Parameters
    ----------
    text
        What was said; may be empty.
    end
        Why the answer ended: the model's own ``end``, or the ``length`` limit; empty before.
    tokens
        Tokens of the prompt and of the answer, where the event tells.
    thought
        Whether the model was thinking aloud in a field of its own.
    """

    text: str = ""
    end: End = ""
    tokens: tuple[int, int] | None = None
    thought: bool = False


def chunks(lines: Iterable[str]) -> Iterator[Chunk]:
    """Events of a stream, or the one event of a server that answers in one piece.

    Raises
    ------
    Garbled
        No JSON, no completion, an error of the server in mid-stream, or an end without a reason.
    """
    begun = ended = False
    others: list[str] = []  # lines that are no event: all of them, where the server does not stream
    for line in lines:
        if line.startswith(DATA):
            data = line[len(DATA) :].strip()
            if data == DONE:
                return
            chunk = read_chunk(data)
            begun, ended = True, ended or bool(chunk.end)
            yield chunk
        elif not begun and sum(map(len, others)) < LONGEST_WHOLE:
            others.append(line)
    if not begun and any(line.strip() for line in others):
        yield read_chunk("\n".join(line for line in others if not line.startswith(":")))
    elif not ended:
        raise Garbled("it broke off in the middle of the answer" if begun else "it sent nothing")


def read_chunk(text: str) -> Chunk:
    """One event from its JSON.

    Raises
    ------
    Garbled
        It is none.
    """
    try:
        event: Any = json.loads(text)
    except ValueError:
        raise Garbled(f"it sent what is not JSON: {shortened(text)}") from None
    if isinstance(event, dict) and event.get("error"):
        raise Garbled(f"it reports: {shortened(message_of(text))}")
    try:
        choices, tokens = event.get("choices") or [], _tokens(event.get("usage"))
        if not choices:
            if "choices" not in event and tokens is None:
                raise Garbled(f"it sent what is no chat completion: {shortened(text)}")
            return Chunk(tokens=tokens)
        part = choices[0].get("delta") or choices[0].get("message") or {}
        said, reason = part.get("content") or "", choices[0].get("finish_reason")
        thought = bool(part.get("reasoning_content") or part.get("reasoning"))
    except (AttributeError, LookupError, TypeError, ValueError):
        raise Garbled(f"it sent what is no chat completion: {shortened(text)}") from None
    if not isinstance(said, str):
        raise Garbled(f"it sent what is no text: {shortened(text)}")
    end: End = "" if not reason else "length" if reason == "length" else "end"
    return Chunk(said, end, tokens, thought)


def message_of(body: str) -> str:
    """The message in the body of an error, however the server wraps it; the body itself where there is none."""
    try:
        found: Any = json.loads(body)
    except ValueError:
        return body.strip()
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def shortened(text: str) -> str:
    """One line of at most ``SHOWN`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"


class Thoughts:
    """Leaves out what a model thinks aloud at the start of its answer, between ``<think>`` and ``</think>``."""

    def __init__(self) -> None:
        self._held = ""
        self._state: Literal["start", "thinking", "thought", "saying"] = "start"

    @property
    def unfinished(self) -> bool:
        """Whether the model is thinking still."""
        return self._state == "thinking"

    def push(self, text: str) -> str:
        """The part of the text so far that was said, not thought, and was not given before."""
        self._held += text
        if self._state == "start":
            self._start()
        if self._state == "thinking":
            self._think()
        if self._state == "thought" and (said := self._held.lstrip()):
            self._state, self._held = "saying", said
        return self.close() if self._state == "saying" else ""

    def close(self) -> str:
        """What was held back and turned out not to be a thought."""
        said, self._held = ("" if self._state in {"thinking", "thought"} else self._held), ""
        return said

    def _start(self) -> None:
        begun, mark = self._held.lstrip(), THOUGHT[0]
        if begun.startswith(mark):
            self._state = "thinking"
        elif not mark.startswith(begun):
            self._state = "saying"

    def _think(self) -> None:
        _, found, after = self._held.partition(THOUGHT[1])
        if found:
            self._state, self._held = "thought", after


def _tokens(usage: Any) -> tuple[int, int] | None:  # noqa: ANN401 (whatever the server sent)
    return (int(usage["prompt_tokens"]), int(usage.get("completion_tokens") or 0)) if usage else None
