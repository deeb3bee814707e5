"""One question under observation: its events pass through unchanged; a log line and spans come of them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from app.telemetry.logs import FIELDS, QUESTIONS
from app.telemetry.trace import Attribute, current_trace, fresh, tracing, using
from generators.events import Answered, Event, Routed, Token

if TYPE_CHECKING:
    from app.settings.schema import Telemetry
    from generators.answer import Answer
    from retrievers.evidence import Route

log = logging.getLogger(QUESTIONS)

STAGES = ("write", "check")
"""The stages whose seconds stand in an answer, in order; the others are measured as they run (``app.telemetry.stages``)."""


def watched(telemetry: Telemetry, question: str, events: Generator[Event, None, None]) -> Generator[Event, None, None]:
    """Pass the events of a question on, and report the question when they end, however they end.

    The trace is that of the caller's context, or a new one. It, and the question's span, are the current ones while the
    events are being made, and not while the caller works on them: a generator otherwise leaves its own behind.
    """
    watch = _Watch(telemetry, question)
    try:
        while (event := watch.next(events)) is not None:
            yield event
    finally:
        events.close()
        watch.end()


class _Watch:
    """What is known of the question so far."""

    def __init__(self, telemetry: Telemetry, question: str) -> None:
        self.telemetry = telemetry
        self.question = question
        self.trace = current_trace() or fresh()
        self.began = time.perf_counter()
        self.route: Route | None = None
        self.answer: Answer | None = None
        self.error = ""
        self.tokens = 0
        listener = tracing()
        with using(self.trace):
            attributes = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "symposia"}
            self.span = None if listener is None else listener.begin("ask", attributes)

    def next(self, events: Iterator[Event]) -> Event | None:
        """The next event, made within the question's trace and span."""
        inside: AbstractContextManager[object] = nullcontext() if self.span is None else self.span.inside()
        try:
            with using(self.trace), inside:
                event = next(events, None)
        except BaseException as error:
            self.error = type(error).__name__
            raise
        match event:
            case Routed(route):
                self.route = route
            case Token():
                self.tokens += 1
            case Answered(answer):
                self.answer = answer
                self._stages(answer)
        return event

    def end(self) -> None:
        """Write the line and end the span."""
        fields = self.fields()
        if log.isEnabledFor(logging.INFO):
            with using(self.trace):
                log.info("question %s", _words({"trace": self.trace, **fields}), extra={FIELDS: fields})
        if self.span is not None:
            self.span.end(self._attributes(), self.error)

    def fields(self) -> dict[str, Any]:
        """The question in numbers and names; in words only where that was asked for."""
        answer, route = self.answer, self.route
        fields: dict[str, Any] = {
            "outcome": self.error or ("cancelled" if answer is None else answer.verdict.value),
            "experts": [] if route is None else list(route.experts),
            "passages": 0 if answer is None else len(answer.evidence),
            "cited": 0 if answer is None else len(answer.cited),
            "tokens": self.tokens,
            "seconds": {} if answer is None else {name: round(value, 4) for name, value in answer.seconds.items()},
            "total": round(time.perf_counter() - self.began, 4),
        }
        if route is not None and route.failures:
            fields["failed"] = sorted(route.failures)
        if self.telemetry.content:
            fields |= {"question": self.question, "answer": "" if answer is None else answer.marked}
        return fields

    def _stages(self, answer: Answer) -> None:
        """Spans for the stages that ended with the answer; they follow one another, the last of them ends now."""
        if self.span is None:
            return
        ended = time.time_ns()
        for stage in reversed([name for name in STAGES if name in answer.seconds]):
            began = ended - int(answer.seconds[stage] * 1e9)
            attributes: dict[str, Attribute] = {}
            if stage == "write" and answer.model:
                attributes = {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": answer.model,
                    "gen_ai.usage.output_tokens": self.tokens,
                    "symposia.policy": answer.policy,
                }
            self.span.part(stage, began, ended, attributes)
            ended = began

    def _attributes(self) -> dict[str, Attribute]:
        fields = self.fields()
        attributes: dict[str, Attribute] = {
            f"symposia.{name}": fields[name] for name in ("outcome", "experts", "passages", "cited", "tokens")
        }
        attributes["symposia.trace"] = self.trace
        if self.answer is not None and self.answer.model:
            attributes["gen_ai.request.model"] = self.answer.model
        if self.telemetry.content:
            attributes["gen_ai.input.messages"] = _message("user", fields["question"])
            attributes["gen_ai.output.messages"] = _message("assistant", fields["answer"])
        return attributes


def _message(role: str, text: str) -> str:
    """A message as GenAI's conventions write it."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}], ensure_ascii=False)


def _words(fields: Mapping[str, Any]) -> str:
    """``trace=… outcome="sources conflict" experts=["a"]``: values as JSON, which keeps each line one line."""
    return " ".join(
        f"{name}={value if name == 'trace' else json.dumps(value, ensure_ascii=False)}"
        for name, value in fields.items()
    )
