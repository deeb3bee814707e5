"""What the tools do, for whoever calls them. No knowledge of MCP is needed here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.access.audited import Entry, audited
from app.access.principal import LOCAL, Action, Principal
from app.mcp.results import Asked, Expert, Experts, Explained, Found, Route, Source
from app.telemetry.trace import fresh, using
from app.turns import Turn, Turns
from generators.events import Answered, Checking, Event, Routed, Token
from generators.events import Found as FoundEvent

if TYPE_CHECKING:
    from app.access.audit import Audit
    from app.access.limits import Limits
    from app.symposium import Symposium
    from generators.answer import Answer

Report = Callable[[str], Awaitable[None]]
PAUSE = 2.0  # seconds between two words about the draft


async def _silent(_: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of a tool."""

    symposium: Symposium
    entry: Entry
    trace: str


@dataclass(slots=True)
class Tools:
    """The four tools.

    Parameters
    ----------
    symposium
        Whom they ask.
    principal
        Who calls; see ``app.mcp.access``.
    audit, limits
        Where it is noted, and how often somebody may call; ``None`` for neither.
    turns
        The queue in front of the language model, as long as ``serve.queue`` says.
    """

    symposium: Symposium
    principal: Callable[[], Principal] = field(default=lambda: LOCAL)
    audit: Audit | None = None
    limits: Limits | None = None
    turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        self.turns = Turns(self.symposium.settings.serve.queue)

    async def ask(
        self,
        question: str,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        report: Report = _silent,
    ) -> Asked:
        """Answer a question when it is its turn; a caller that goes away stops it within a token, and leaves the queue."""
        async with self._called("ask", question) as call:
            with self.turns.admit() as turn:
                events = call.symposium.astream(question, experts=experts, forbid=forbid, retrieval=retrieval)
                async with aclosing(events):
                    answer = await _read(events, call.entry, _Progress(report), turn)
            call.entry.outcome = answer.verdict.value
            return Asked.of(answer, call.trace)

    async def search(
        self,
        question: str,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        passages: int | None = None,
    ) -> Found:
        """Find passages without answering; no language model is needed."""
        async with self._called("search", question) as call:
            route, evidence = await call.symposium.aretrieve(
                question, experts=experts, forbid=forbid, retrieval=True, passages=passages
            )
            call.entry.experts = route.experts
            found = [Source.of(item) for item in evidence]
            return Found(question=question, passages=found, route=Route.of(route), trace=call.trace)

    async def list_experts(self) -> Experts:
        """Who is on the panel."""
        async with self._called("list_experts") as call:
            cards = await asyncio.to_thread(call.symposium.experts)
            call.entry.experts = [card.name for card in cards]
            return Experts(experts=[Expert.of(card) for card in cards])

    async def explain(self, question: str, forbid: Sequence[str] = ()) -> Explained:
        """Why a question would be sent where it would be sent; it is not answered."""
        async with self._called("explain", question) as call:
            explained = await asyncio.to_thread(call.symposium.explain, question, forbid=forbid)
            call.entry.experts = explained.route.experts
            route, rules = Route.of(explained.route), list(explained.rules)
            return Explained(question=explained.question, route=route, rules=rules, trace=call.trace)

    @asynccontextmanager
    async def _called(self, tool: str, question: str = "") -> AsyncIterator[_Call]:
        """The system as the caller sees it, under a trace; what came of the call is noted when it ends, however it ends."""
        principal, trace = self.principal(), fresh()
        with using(trace), audited(self.audit, principal, tool, question=question) as entry:
            principal.check(Action.ASK)
            if self.limits is not None:
                self.limits.check(principal.name)
            yield _Call(await asyncio.to_thread(self.symposium.seen_by, principal), entry, trace)


async def _read(events: AsyncIterator[Event], entry: Entry, progress: _Progress, turn: Turn) -> Answer:
    """The answer at the end of the events; for what follows the evidence, it waits until it is this question's turn."""
    async for event in events:
        await progress.tell(event)
        if isinstance(event, Routed):
            entry.experts = event.route.experts
        elif isinstance(event, FoundEvent):
            if turn.ahead:
                await progress.wait(turn.ahead)
            await turn.take()
        elif isinstance(event, Answered):
            return event.answer
    raise RuntimeError("A stream that nobody cancelled ended without an answer.")


class _Progress:
    """Tells the stages as they come, and now and then how far the draft is: clients give up calls that are silent for long."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.tokens = 0
        self.last = time.monotonic()

    async def wait(self, ahead: int) -> None:
        """Tell that others come first."""
        await self.report(f"waiting: {ahead} come first")

    async def tell(self, event: Event) -> None:
        """Tell of an event in words, unless the last words are too fresh."""
        self.tokens += isinstance(event, Token)
        if isinstance(event, Token) and time.monotonic() - self.last < PAUSE:
            return
        if text := self._words(event):
            self.last = time.monotonic()
            await self.report(text)

    def _words(self, event: Event) -> str:
        match event:
            case Routed(route):
                return f"asking {', '.join(route.experts)}" if route.experts else "no retrieval"
            case FoundEvent(evidence):
                return f"{len(evidence)} passages found"
            case Token():
                return f"writing: {self.tokens} tokens"
            case Checking():
                return "checking each sentence"
        return ""
