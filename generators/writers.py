"""Writers: what the answerer asks for text, whether the language model is held here or served elsewhere.

Both put as much evidence before the model as its window holds, best first, and both can say what the model answers
without the sources. What only logits give, a writer for text alone lacks: its steps have no divergence, and ``scores`` is
``None``.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from generators import prompts
from generators.contrasts import Scores
from generators.decoding import Decodable, Step, decode
from generators.drafts import Drafting, drafts
from generators.policies.base import Policy
from generators.policies.greedy import Greedy
from generators.prompts import Messages
from generators.remote.model import RemoteModel, Usage
from indexes.errors import InputError, SymposiaError
from retrievers.evidence import Evidence

log = logging.getLogger(__name__)

Cancelled = Callable[[], bool]

NO_TOKEN = -1  # of a step whose tokens only the server knows
SERVER = "server"  # the policy of a model that decodes elsewhere
AT_ONCE = 4  # requests to one server


class LanguageModel(Decodable, Drafting, Scores, Protocol):
    """A language model held locally: it decodes, and it scores what was said."""

    @property
    def name(self) -> str:
        """Name for people."""

    def load(self) -> object:
        """Load the weights now rather than at first use."""


class Limits(Protocol):
    """How answers are written (``generators.answerer.Options`` says it)."""

    @property
    def max_tokens(self) -> int:
        """Longest answer."""

    @property
    def temperature(self) -> float:
        """Of sampling; 0 takes the most probable token."""

    @property
    def seed(self) -> int:
        """Of sampling."""


@dataclass(frozen=True, slots=True)
class Writing:
    """One answer being written.

    Parameters
    ----------
    steps
        Draw them to have it written.
    memory
        What the model says without the sources, once the steps are drawn; empty where it was not asked, or was in vain.
    evidence
        What is put before the model; the rest did not fit its window.
    usage
        What it cost, once the steps are drawn.
    """

    steps: Iterator[Step]
    memory: Callable[[], str]
    evidence: tuple[Evidence, ...] = ()
    usage: Callable[[], Usage] = Usage


class Writer(Protocol):
    """What the answerer asks for text."""

    @property
    def name(self) -> str:
        """Name of the model, for people."""

    @property
    def policy(self) -> str:
        """Name of the decoding policy."""

    @property
    def scores(self) -> Scores | None:
        """What gives log-probabilities; ``None`` where there are none to be had."""

    def load(self) -> object:
        """Load the model, or ask whether it is there."""

    def from_sources(self, question: str, evidence: Sequence[Evidence], cancelled: Cancelled | None = None) -> Writing:
        """Answer from evidence, best first."""

    def from_memory(self, messages: Messages, cancelled: Cancelled | None = None) -> Writing:
        """Answer without evidence."""

    def answers(self, asked: Sequence[Messages], *, max_tokens: int, stop: Sequence[str] = ("\n",)) -> list[str]:
        """Short answers to several prompts at once, each the most probable."""


def writer_for(model: LanguageModel | RemoteModel, policy: Policy, limits: Limits) -> Writer:
    """The writer that fits the model. A server decodes by itself: of the policy, it heeds whether memory is to be asked."""
    if isinstance(model, RemoteModel):
        return RemoteWriter(model, limits, asks_memory=policy.needs_memory)
    return LocalWriter(model, policy, limits)


class LocalWriter:
    """Decodes with a model held here.

    Parameters
    ----------
    policy
        How the branches with and without evidence are combined.
    """

    def __init__(self, model: LanguageModel, policy: Policy, limits: Limits) -> None:
        self.model = model
        self._policy = policy
        self._limits = limits

    @property
    def name(self) -> str:
        """Name of the model, for people."""
        return self.model.name

    @property
    def policy(self) -> str:
        """Name of the decoding policy."""
        return self._policy.name

    @property
    def scores(self) -> Scores:
        """The model itself."""
        return self.model

    def load(self) -> object:
        """Load the weights."""
        return self.model.load()

    def from_sources(self, question: str, evidence: Sequence[Evidence], cancelled: Cancelled | None = None) -> Writing:
        """Decode with the policy; ``memory`` is decoded when it is asked for."""

        def tokens(kept: Sequence[Evidence]) -> int:
            return len(self.model.chat_tokens(prompts.with_sources(question, kept)))

        kept = fitting(evidence, tokens, self.model.window - self._limits.max_tokens)
        row = self.model.chat_tokens(prompts.with_sources(question, kept))
        alone = self.model.chat_tokens(prompts.without_sources(question))
        steps = self._decode(row, alone if self._policy.needs_memory else None, cancelled)
        return Writing(steps, lambda: "".join(step.text for step in self._decode(alone, None, cancelled)), kept)

    def from_memory(self, messages: Messages, cancelled: Cancelled | None = None) -> Writing:
        """Decode greedily: there is nothing to contrast with."""
        return Writing(self._decode(self.model.chat_tokens(messages), None, cancelled), _nothing)

    def answers(self, asked: Sequence[Messages], *, max_tokens: int, stop: Sequence[str] = ("\n",)) -> list[str]:
        """Drafts in one batch; see ``generators.drafts``."""
        rows = [self.model.chat_tokens(messages) for messages in asked]
        return [draft.text for draft in drafts(self.model, rows, max_tokens=max_tokens, stop=stop)]

    def _decode(self, row: Sequence[int], memory: Sequence[int] | None, cancelled: Cancelled | None) -> Iterator[Step]:
        return decode(
            self.model,
            row,
            memory,
            Greedy() if memory is None else self._policy,
            max_tokens=self._limits.max_tokens,
            temperature=self._limits.temperature,
            seed=self._limits.seed,
            cancelled=cancelled,
        )


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

    def answers(self, asked: Sequence[Messages], *, max_tokens: int, stop: Sequence[str] = ("\n",)) -> list[str]:
        """One request each, ``AT_ONCE`` at a time."""

        def answer(messages: Messages) -> str:
            return "".join(self.model.stream(messages, max_tokens=max_tokens, stop=stop))

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(answer, asked))

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

        return Writing(steps(), _nothing if aside is None else aside.text, kept, lambda: reply.usage)

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


def fitting(
    evidence: Sequence[Evidence], tokens: Callable[[Sequence[Evidence]], int], room: int
) -> tuple[Evidence, ...]:
    """As much of the evidence, from its beginning, as fits into ``room`` tokens with the rest of the prompt; at least one."""
    kept = list(evidence)
    while len(kept) > 1 and tokens(kept) > room:
        kept.pop()
    return tuple(kept)


def _nothing() -> str:
    return ""
