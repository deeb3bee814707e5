"""What the tools do, for whoever calls them. No knowledge of MCP is needed here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.access.principal import LOCAL, Principal
from app.mcp.results import Asked, Expert, Experts, Explained, Found, Path, Source
from app.telemetry.trace import fresh, using
from generators.events import Answered, Checking, Event, Routed, Token
from generators.events import Found as FoundEvent
from indexes.errors import InputError
from retrievers.router import ScoredRouter

if TYPE_CHECKING:
    from app.access.audit import Audit
    from app.access.limits import Limits
    from app.symposium import Symposium

Report = Callable[[str], Awaitable[None]]
PAUSE = 2.0  # seconds between two words about the draft


async def _silent(_: str) -> None:
    """Nobody wants to know."""


@dataclass
class _Entry:
    trace: str
    experts: Sequence[str] = ()
    outcome: str = "done"


@dataclass(frozen=True, slots=True)
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
    """

    symposium: Symposium
    principal: Callable[[], Principal] = field(default=lambda: LOCAL)
    audit: Audit | None = None
    limits: Limits | None = None

    async def ask(
        self,
        question: str,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        report: Report = _silent,
    ) -> Asked:
        """Answer a question; a caller that goes away stops it within a token."""
        result = None
        async with self._called("ask") as (symposium, entry):
            progress = _Progress(report)
            async for event in symposium.astream(question, experts=experts, forbid=forbid, retrieval=retrieval):
                if isinstance(event, Routed):
                    entry.experts = event.route.experts
                await progress.tell(event)
                if isinstance(event, Answered):
                    entry.outcome = event.answer.verdict.value
                    result = Asked.of(event.answer, entry.trace)
        if result is not None:
            return result
        raise RuntimeError("A stream that nobody cancelled ended without an answer.")

    async def search(
        self,
        question: str,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        passages: int | None = None,
    ) -> Found:
        """Find passages without answering; no language model is needed."""
        async with self._called("search") as (symposium, entry):
            route, evidence = await symposium.aretrieve(
                question, experts=experts, forbid=forbid, retrieval=True, passages=passages
            )
            entry.experts = route.experts
            found = [Source.of(item) for item in evidence]
            return Found(question=question, passages=found, route=Path.of(route), trace=entry.trace)

    async def list_experts(self) -> Experts:
        """Who is on the panel."""
        async with self._called("list_experts") as (symposium, entry):
            cards = await asyncio.to_thread(symposium.experts)
            entry.experts = [card.name for card in cards]
            return Experts(experts=[Expert.of(card) for card in cards])

    async def explain(self, question: str, forbid: Sequence[str] = ()) -> Explained:
        """Why a question would be sent where it would be sent; it is not answered."""
        async with self._called("explain") as (symposium, entry):
            route, _ = await symposium.aretrieve(question, forbid=forbid, passages=1)
            entry.experts = route.experts
            rules = await asyncio.to_thread(_rules, symposium)
            return Explained(question=question, route=Path.of(route), rules=rules, trace=entry.trace)

    @asynccontextmanager
    async def _called(self, tool: str) -> AsyncIterator[tuple[Symposium, _Entry]]:
        """The system as the caller sees it, under a trace; what came of the call is noted when it ends, however it ends."""
        principal, entry, began = self.principal(), _Entry(fresh()), time.perf_counter()
        try:
            with using(entry.trace):
                self._wait_for(principal)
                yield await asyncio.to_thread(self.symposium.seen_by, principal), entry
        except BaseException as error:
            entry.outcome = "cancelled" if isinstance(error, asyncio.CancelledError) else type(error).__name__
            raise
        finally:
            if self.audit is not None:
                seconds = time.perf_counter() - began
                self.audit.record(principal, tool, entry.experts, entry.outcome, entry.trace, seconds)

    def _wait_for(self, principal: Principal) -> None:
        wait = 0.0 if self.limits is None else self.limits.take(principal.name)
        if wait > 0:
            raise InputError(f"{principal.name!r} asks too often.", f"Wait {wait:.1f} s.")


class _Progress:
    """Tells the stages as they come, and now and then how far the draft is: clients give up calls that are silent for long."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.tokens = 0
        self.last = time.monotonic()

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


def _rules(symposium: Symposium) -> list[str]:
    router = symposium.panel.router
    if not isinstance(router, ScoredRouter):
        return []
    held = f"until they hold {router.mass:.0%} of the probability together, and {router.most} at most."
    return [
        f"Retrieval is skipped where the probability that no sources are needed reaches {router.skip:.0%}.",
        f"Experts are asked, the most probable first, {held}",
    ]
