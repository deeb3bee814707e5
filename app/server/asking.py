"""One question on its way: its events are made in threads, it waits in the queue, and ends within a token of being given up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event as Signal
from typing import TYPE_CHECKING

from app.access.audited import Entry, audited
from app.server.gone import while_there
from app.turns import Turn
from generators.events import Answered, Event, Found, Routed, Token
from generators.writing.dependent import dependent
from indexes.errors import SymposiaError

if TYPE_CHECKING:
    from starlette.types import Receive

    from app.access.principal import Principal
    from app.conversations.store import StoredTurn
    from app.server.service import Service
    from generators.answer import Answer
    from generators.writing.follow_up import Exchange

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks.

    Parameters
    ----------
    principal
        Who asks.
    experts, forbid, retrieval
        As for ``Symposium.ask``.
    before
        What was asked and answered before, the oldest first.
    conversation
        The conversation that it goes on; ``None`` for a new one.
    remember
        Whether it is kept in a conversation.
    """

    principal: Principal
    text: str
    experts: Sequence[str] = ()
    forbid: Sequence[str] = ()
    retrieval: bool | None = None
    before: Sequence[Exchange] = ()
    conversation: str | None = None
    remember: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """The language model is busy; so many questions come first."""

    ahead: int


@dataclass(frozen=True, slots=True)
class Done:
    """The answer, and where it is kept if it is.

    Parameters
    ----------
    unrecorded
        Why it is kept nowhere although it was to be.
    """

    answer: Answer
    turn: StoredTurn | None = None
    unrecorded: SymposiaError | None = None


Step = Event | Waiting | Done


class Asking:
    """Answers one question, from the moment it is made. Its steps are made as they come, however slowly they are read.

    Parameters
    ----------
    service
        Where it is asked.
    question
        What is asked.
    """

    def __init__(self, service: Service, question: Question) -> None:
        self._service = service
        self._question = question
        self._gone = Signal()
        self._steps: asyncio.Queue[Step | Exception | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(), name="symposia-asking")
        service.running.add(self)

    async def steps(self) -> AsyncIterator[Step]:
        """The events in order, ``Waiting`` among them, ``Done`` last. What went wrong is raised."""
        while (step := await self._steps.get()) is not None:
            if isinstance(step, Exception):
                raise step
            yield step

    async def begun(self, receive: Receive) -> tuple[Step, AsyncIterator[Step]]:
        """The first event, before which what goes wrong still has a status of its own, and the iterator of the others."""
        steps = self.steps()

        async def first() -> Step:
            return await anext(steps)

        return await while_there(receive, first()), steps

    async def done(self) -> Done:
        """The last step alone."""
        async for step in self.steps():
            if isinstance(step, Done):
                return step
        raise asyncio.CancelledError  # only a question that was given up ends without an answer

    async def stop(self) -> None:
        """Give the question up, and wait until nothing is done for it any more."""
        if not self._gone.is_set():
            self._gone.set()
            self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        metrics, asked = self._service.metrics, self._question
        try:
            with audited(self._service.audit, asked.principal, "ask", question=asked.text) as entry:
                with self._service.turns.admit() as turn:
                    answer = await self._answer(turn, entry)
                metrics.answered(answer)
                self._steps.put_nowait(await self._recorded(answer))
        except asyncio.CancelledError:
            metrics.cancelled.inc()
            raise
        except Exception as error:  # noqa: BLE001 (it is raised again where the steps are read)
            self._steps.put_nowait(error)
        finally:
            self._service.running.discard(self)
            self._steps.put_nowait(None)

    async def _answer(self, turn: Turn, entry: Entry) -> Answer:
        await self._service.warm()
        asked = self._question
        symposium = await self._service.seen_by(asked.principal)
        events = symposium.stream(
            asked.text,
            experts=asked.experts,
            forbid=asked.forbid,
            retrieval=asked.retrieval,
            before=asked.before,
            cancelled=self._gone.is_set,
        )
        passed_on = partial(self._pass_on, events, asyncio.get_running_loop(), entry)
        try:
            if asked.before and dependent(asked.text):  # the language model is asked what it means
                await self._take(turn)
            answer = await self._service.call(passed_on, Found)
            await self._take(turn)
            answer = await self._service.call(passed_on) or answer
        finally:
            await self._service.call(events.close)
        if answer is None:
            raise RuntimeError("A stream that nobody cancelled ended without an answer.")
        entry.outcome = answer.verdict.value
        return answer

    def _pass_on(
        self, events: Iterator[Event], loop: asyncio.AbstractEventLoop, entry: Entry, last: type[Event] | None = None
    ) -> Answer | None:
        """Hand events to the event loop up to the first of the kind ``last``; gives the answer once it was among them.

        It stays in one thread meanwhile: changing threads for each token takes longer than making one on a busy machine.
        """
        answer = None
        for event in events:
            if isinstance(event, Routed):
                entry.experts = event.route.experts
            elif isinstance(event, Token):
                self._service.metrics.tokens.inc()
            elif isinstance(event, Answered):
                answer = event.answer
            loop.call_soon_threadsafe(self._steps.put_nowait, event)
            if last is not None and isinstance(event, last):
                break
        return answer

    async def _take(self, turn: Turn) -> None:
        if turn.ahead and not turn.held:
            self._steps.put_nowait(Waiting(turn.ahead))
        await turn.take()

    async def _recorded(self, answer: Answer) -> Done:
        """The last step; an answer that cannot be kept is given all the same."""
        asked = self._question
        if not asked.remember:
            return Done(answer)
        record, kept = self._service.conversations.record, (asked.conversation, asked.text, answer, asked.forbid)
        try:
            return Done(answer, await self._service.call(record, asked.principal, *kept))
        except SymposiaError as error:
            log.warning("An answer was not kept: %s %s", error.problem, error.fix)
            return Done(answer, unrecorded=error)
