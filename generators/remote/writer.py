"""The writer for a language model of a server: text, and beside it what the model says without the sources."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator, Sequence

from generators import prompts
from generators.citations.contrasts import Scores
from generators.decoding.decode import Step
from generators.prompts import Messages
from generators.remote.model import RemoteModel
from generators.writing.base import Cancelled, Limits, Writing, fitting, no_memory
from indexes.errors import InputError, SymposiaError
from retrievers.evidence import Evidence

log = logging.getLogger(__name__)

NO_TOKEN = -1  # of a step whose tokens only the server knows
SERVER = "server"  # the policy of a model that decodes elsewhere


class RemoteWriter:
    """Asks a server for text.

    Parameters
    ----------
    asks_memory
        Whether each question is also asked without the sources, beside the answer proper, from its first word on: so a
        server that serves one request at a time is not kept from beginning with the answer.
    """

    scores: Scores | None = None
    policy: str = SERVER

    def __init__(self, model: RemoteModel, limits: Limits, *, asks_memory: bool) -> None:
        self.model = model
        self._limits = limits
        self._asks_memory = asks_memory

    @property
    def name(self) -> str:
        """Name of the model, for people."""
        return self.model.name

    def load(self) -> object:
        """Ask the server whether it has the model."""
        return self.model.load()

    def from_sources(self, question: str, evidence: Sequence[Evidence], cancelled: Cancelled | None = None) -> Writing:
        """Have it written by the server; ``memory`` waits for the second request, where one was made."""

        def tokens(kept: Sequence[Evidence]) -> int:
            return self.model.tokens(prompts.with_sources(question, kept))

        room = self.model.window - self._limits.max_tokens
        kept = fitting(evidence, tokens, room)
        messages = prompts.with_sources(question, kept)
        if (needed := self.model.tokens(messages)) > room:
            raise InputError(
                f"The prompt has about {needed} tokens, and with {self._limits.max_tokens} for the answer that is more than "
                f"the {self.model.window} of models.server_window.",
                "Ask a shorter question, or raise models.server_window if the server reads more.",
            )
        aside = _Aside(lambda gone: self._text(prompts.without_sources(question), gone)) if self._asks_memory else None
        return self._writing(messages, cancelled, kept, aside)

    def from_memory(self, messages: Messages, cancelled: Cancelled | None = None) -> Writing:
        """Have it written by the server."""
        return self._writing(messages, cancelled, (), None)

    def _writing(
        self, messages: Messages, cancelled: Cancelled | None, kept: tuple[Evidence, ...], aside: _Aside | None
    ) -> Writing:
        limits = self._limits
        reply = self.model.stream(
            messages,
            max_tokens=limits.max_tokens,
            temperature=limits.temperature,
            seed=limits.seed,
            cancelled=cancelled,
        )

        def steps() -> Iterator[Step]:
            ended = False
            try:
                for piece in reply:
                    if aside is not None:
                        aside.start(cancelled)
                    yield Step(NO_TOKEN, piece, math.nan, done=False)
                ended = bool(reply.reason)
                if ended:
                    yield Step(NO_TOKEN, "", math.nan, done=True, reason=reply.reason)
            finally:
                reply.close()
                if aside is not None and not ended:
                    aside.leave()

        return Writing(steps(), no_memory if aside is None else aside.text, kept, lambda: reply.usage)

    def _text(self, messages: Messages, gone: Cancelled) -> str:
        limits = self._limits
        asked = self.model.stream(
            messages, max_tokens=limits.max_tokens, temperature=limits.temperature, seed=limits.seed, cancelled=gone
        )
        return "".join(asked)


class _Aside:
    """A request in a thread of its own. What it gives is welcome; where it fails, the answer stands without it."""

    def __init__(self, ask: Callable[[Cancelled], str]) -> None:
        self._ask = ask
        self._gone = threading.Event()
        self._text = ""
        self._thread: threading.Thread | None = None

    def start(self, cancelled: Cancelled | None) -> None:
        """Begin, if it has not begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(cancelled,), name="symposia-memory", daemon=True)
            self._thread.start()

    def leave(self) -> None:
        """End it: nobody will read the text."""
        self._gone.set()

    def text(self) -> str:
        """Wait for it; empty where it was never begun, was left, or failed."""
        if self._thread is not None:
            self._thread.join()
        return self._text

    def _run(self, cancelled: Cancelled | None) -> None:
        try:
            self._text = self._ask(lambda: self._gone.is_set() or (cancelled is not None and cancelled()))
        except SymposiaError as error:
            log.warning("What the model says without the sources is not known: %s", error.problem)
