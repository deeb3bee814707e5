"""What all routes of one server share, and how its work gets off the event loop."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Event as Signal
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from fastapi import Request

from app.server.metrics import Metrics
from app.turns import Turns
from indexes.errors import SymposiaError

if TYPE_CHECKING:
    from app.access.audit import Audit
    from app.access.keys import Keys
    from app.access.limits import Limits
    from app.access.principal import Principal
    from app.conversations.store import Conversations
    from app.server.asking import Asking
    from app.settings.schema import Serve
    from app.symposium import Symposium

log = logging.getLogger(__name__)

THREADS = 8

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Service:
    """The system behind the routes.

    Parameters
    ----------
    keys
        ``None`` where nobody is asked for one: everybody is then ``LOCAL``.
    running
        Questions that are being answered or wait.
    warming
        Loads the models; ``None`` where the server has not been started.
    failure
        What kept the models from being loaded.
    adding
        Held while documents are added or deleted: a slice is written by one at a time.
    """

    symposium: Symposium
    conversations: Conversations
    serve: Serve
    keys: Keys | None = None
    audit: Audit | None = None
    limits: Limits | None = None
    running: set[Asking] = field(default_factory=set)
    warming: asyncio.Task[None] | None = None
    failure: SymposiaError | None = None
    adding: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.turns = Turns(self.serve.queue)
        self.metrics = Metrics(self.turns)
        self._threads = ThreadPoolExecutor(THREADS, "symposia-server")

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread, within the context of the request."""
        return await self.stoppable(lambda _gone: function(*args, **kwargs))

    async def stoppable(self, function: Callable[[Signal], T]) -> T:
        """Like ``call``, with a signal that is set where this is cancelled.

        It returns only when the thread is done, even then: nothing goes on behind the back of whoever cancelled it.
        """
        gone, context = Signal(), contextvars.copy_context()
        work = partial(context.run, function, gone)
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            gone.set()
            await asyncio.wait([future])
            if not future.cancelled():
                future.exception()  # nobody is left to hear of it
            raise

    async def seen_by(self, principal: Principal) -> Symposium:
        """The system as the principal sees it."""
        return await self.call(self.symposium.seen_by, principal)

    def start(self) -> None:
        """Begin to load the models."""
        self.warming = asyncio.create_task(self._warm_up(), name="symposia-warm-up")

    async def warm(self) -> None:
        """Wait until the models are loaded, or could not be: then whoever asks is told why."""
        if self.warming is not None:
            await asyncio.shield(self.warming)

    @property
    def loaded(self) -> bool:
        """Whether the models are in memory."""
        return self.warming is not None and self.warming.done() and self.failure is None

    async def stop(self) -> None:
        """End what is being written, and wait for the threads."""
        await asyncio.gather(*(asking.stop() for asking in list(self.running)))
        if self.warming is not None:
            await asyncio.wait([self.warming])
        await asyncio.to_thread(self._threads.shutdown)

    async def _warm_up(self) -> None:
        try:
            await self.call(self.symposium.warm_up)
        except SymposiaError as error:
            self.failure = error
            log.warning("The models could not be loaded: %s", error)
        except Exception as error:
            log.exception("The models could not be loaded")
            self.failure = SymposiaError(f"A defect: {type(error).__name__}.", "See the server's log.")


def service_of(request: Request) -> Service:
    """The service that a request is for."""
    service: Service = request.app.state.service
    return service
