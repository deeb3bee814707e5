"""``symposia ask`` and ``symposia retrieve``: one question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson, Experts, Forbidden, Question, Retrieval
from app.cli.output import Output, plain

if TYPE_CHECKING:
    from rich.text import Text

    from generators.answer import Answer
    from generators.events import Event


def ask(
    ctx: typer.Context,
    question: Question,
    expert: Experts = None,
    forbid: Forbidden = None,
    retrieve: Retrieval = None,
    sources: Annotated[bool, typer.Option(help="List the cited sources below the answer.")] = True,
    as_json: AsJson = False,
) -> None:
    """Answer one question, with citations that were checked."""
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with invocation.open() as symposium:
        events = symposium.stream(question, experts=expert or (), forbid=forbid or (), retrieval=retrieve)
        answer = follow(output, events)
    if as_json:
        output.document(answer.to_dict())
        return
    from app.cli.render import show_answer

    show_answer(output, answer, sources=sources)


def retrieve(
    ctx: typer.Context,
    question: Question,
    expert: Experts = None,
    forbid: Forbidden = None,
    retrieve: Retrieval = None,
    passages: Annotated[int | None, typer.Option(min=1, help="How many passages to find.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the route and the evidence of a question.

    No language model is needed.
    """
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with invocation.open() as symposium, output.progress("searching"):
        route, evidence = symposium.retrieve(
            question, experts=expert or (), forbid=forbid or (), retrieval=retrieve, passages=passages
        )
    if as_json:
        items = [item.to_dict() for item in evidence]
        output.document({"question": question, "route": route.to_dict(), "evidence": items})
        return
    from app.cli.render import show_found

    show_found(output, route, evidence)


def follow(output: Output, events: Iterator[Event]) -> Answer:
    """Take the events of a question to its answer; on a terminal the draft is shown as it is written, then removed."""
    if output.is_terminal and output.draws_on_stderr:
        return _drawn(output, events)
    with output.progress("thinking"):
        return _last(events)


def _drawn(output: Output, events: Iterator[Event]) -> Answer:
    from rich.live import Live

    from generators.events import Answered, Checking, Found, Routed, Token

    draft, state = "", "searching"
    with Live(_draft(state, draft), console=output.notes, transient=True, vertical_overflow="crop") as live:
        for event in events:
            match event:
                case Routed(route):
                    state = f"asking {', '.join(route.experts)}" if route.experts else "no retrieval"
                case Found(evidence):
                    state += f", {len(evidence)} passages found" if evidence else ""
                case Token(text):
                    draft += text
                case Checking():
                    state = "checking each sentence"
                case Answered(answer):
                    return answer
            live.update(_draft(state, draft))
    raise RuntimeError("The events of a question ended without an answer.")


def _draft(state: str, draft: str) -> Text:
    from rich.text import Text

    return Text.assemble((f"{plain(state)} …\n", "dim"), plain(draft))


def _last(events: Iterator[Event]) -> Answer:
    from generators.events import Answered

    for event in events:
        if isinstance(event, Answered):
            return event.answer
    raise RuntimeError("The events of a question ended without an answer.")
