"""The answerer runs this room: a question, its route and its evidence in; tokens and a checked answer out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from generators import prompts
from generators.answer import Answer, Claim, Verdict
from generators.arithmetic import calculate
from generators.attribution import Scores, claims, contrasts, token_rows
from generators.decoding import Decodable, Step, decode
from generators.events import Answered, Checking, Event, Token
from generators.policies import Greedy, Policy
from generators.sentences import Span, sentences
from generators.verdict import (
    Signals,
    Thresholds,
    abstention,
    decide,
    hopeless,
    refuses,
    supported_share,
    unknown_names,
)
from retrievers.evidence import Evidence, Route
from retrievers.gate import expression

Cancelled = Callable[[], bool]


class LanguageModel(Decodable, Scores, Protocol):
    """A language model held locally: it decodes, and it scores what was said."""

    @property
    def name(self) -> str:
        """Name for people."""

    def load(self) -> object:
        """Load the weights now rather than at first use."""


@dataclass(frozen=True, slots=True)
class Options:
    """How answers are written.

    Parameters
    ----------
    max_tokens
        Longest answer.
    temperature, seed
        Of sampling; 0 takes the most probable token, and the answer is the same each time.
    thresholds
        Of the verdict.
    """

    max_tokens: int = 120
    temperature: float = 0.0
    seed: int = 0
    thresholds: Thresholds = field(default_factory=Thresholds)


@dataclass(slots=True)
class _Draft:
    """What was decoded so far."""

    tokens: list[int] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    divergences: list[float] = field(default_factory=list)

    def take(self, step: Step) -> None:
        self.tokens.append(step.token)
        self.pieces.append(step.text)
        self.divergences.append(step.divergence)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Answerer:
    """Writes answers from evidence and checks them.

    Parameters
    ----------
    model
        The language model.
    policy
        How the branches with and without evidence are combined.
    options
        See ``Options``.
    facts
        Gives sentences about the panel as it is, for questions about the system.
    """

    def __init__(self, model: LanguageModel, policy: Policy, options: Options, facts: Callable[[], list[str]]) -> None:
        self.model = model
        self.policy = policy
        self.options = options
        self.facts = facts

    def stream(
        self, question: str, route: Route, evidence: Sequence[Evidence], cancelled: Cancelled | None = None
    ) -> Iterator[Event]:
        """Tokens as they are decoded, then the answer. A cancelled stream ends without an answer."""
        if route.decision == "skip":
            yield from self._from_memory(question, route, cancelled)
        else:
            yield from self._from_sources(question, route, tuple(evidence), cancelled)

    def _from_sources(
        self, question: str, route: Route, evidence: tuple[Evidence, ...], cancelled: Cancelled | None
    ) -> Iterator[Event]:
        relevance = max((item.probability for item in evidence), default=0.0)
        signals = Signals(True, relevance, unknown_names(question, route.unknown))
        if hopeless(signals, self.options.thresholds):
            yield Answered(self._answer(question, route, evidence, _Draft(), (), signals, {}))
            return
        started, draft = time.perf_counter(), _Draft()
        yield from self._decode(draft, *self._rows(question, evidence), cancelled)
        if cancelled is not None and cancelled():
            return
        written = time.perf_counter()
        yield Checking(draft.text.strip())
        refused = refuses(draft.text)
        checked = () if refused else self._check(question, evidence, draft)
        signals = replace(signals, refused=refused, supported=supported_share(checked))
        seconds = {"write": written - started, "check": time.perf_counter() - written}
        yield Answered(self._answer(question, route, evidence, draft, checked, signals, seconds))

    def _from_memory(self, question: str, route: Route, cancelled: Cancelled | None) -> Iterator[Event]:
        started, draft = time.perf_counter(), _Draft()
        sum_ = expression(question) if route.kind == "arithmetic" else None
        if sum_ is not None:
            text = f"{sum_} = {calculate(sum_)}"
            draft.take(Step(token=-1, text=text, divergence=float("nan"), done=True))
            yield Token(text, float("nan"))
        else:
            yield from self._decode(
                draft, self.model.chat_tokens(self._memory_prompt(question, route)), None, cancelled
            )
        if cancelled is not None and cancelled():
            return
        spans = sentences(draft.text)
        said = tuple(Claim(draft.text[a:b], a, b, "memory") for a, b in spans)
        seconds = {"write": time.perf_counter() - started}
        yield Answered(self._answer(question, route, (), draft, said, Signals(retrieved=False), seconds))

    def _memory_prompt(self, question: str, route: Route) -> prompts.Messages:
        if route.kind == "about":
            return prompts.about(question, self.facts())
        return prompts.small_talk(question) if route.kind == "chitchat" else prompts.without_sources(question)

    def _rows(self, question: str, evidence: Sequence[Evidence]) -> tuple[list[int], list[int] | None]:
        """Prompt tokens of both branches; evidence from the end is left out until the prompt fits the window."""
        kept = list(evidence)
        room = self.model.window - self.options.max_tokens
        rows = self.model.chat_tokens(prompts.with_sources(question, kept))
        while len(rows) > room and len(kept) > 1:
            kept.pop()
            rows = self.model.chat_tokens(prompts.with_sources(question, kept))
        memory = self.model.chat_tokens(prompts.without_sources(question)) if self.policy.needs_memory else None
        return rows, memory

    def _decode(
        self, draft: _Draft, rows: list[int], memory: list[int] | None, cancelled: Cancelled | None
    ) -> Iterator[Event]:
        steps = decode(
            self.model,
            rows,
            memory,
            self.policy if memory is not None else Greedy(),
            max_tokens=self.options.max_tokens,
            temperature=self.options.temperature,
            seed=self.options.seed,
            cancelled=cancelled,
        )
        for step in steps:
            draft.take(step)
            if step.text:
                yield Token(step.text, step.divergence)

    def _check(self, question: str, evidence: tuple[Evidence, ...], draft: _Draft) -> tuple[Claim, ...]:
        spans: list[Span] = sentences(draft.text)
        rows = token_rows(draft.pieces, spans)
        contrast = contrasts(self.model, question, evidence, draft.tokens, rows)
        divergence = [_largest([draft.divergences[i] for i in row]) for row in rows]
        least = self.options.thresholds.support
        return claims(draft.text, spans, question, evidence, contrast, divergence, least)

    def _answer(
        self,
        question: str,
        route: Route,
        evidence: tuple[Evidence, ...],
        draft: _Draft,
        checked: tuple[Claim, ...],
        signals: Signals,
        seconds: dict[str, float],
    ) -> Answer:
        verdict = decide(signals, self.options.thresholds)
        text = draft.text
        if verdict is Verdict.NOT_IN_SOURCES:
            text, checked = abstention(route, evidence), ()
        measured = {
            "relevance": signals.relevance,
            "unknown names": float(signals.unknown_names),
            "supported": signals.supported,
            "refused": float(signals.refused),
            "divergence": _largest(draft.divergences),
        }
        decoded = bool(draft.tokens) and draft.tokens[0] >= 0
        return Answer(
            question=question,
            text=text,
            verdict=verdict,
            claims=checked,
            evidence=evidence,
            route=route,
            model=self.model.name if decoded else "",
            policy=self.policy.name if decoded else "",
            signals=measured,
            seconds=seconds,
        )


def _largest(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return max(known, default=float("nan"))
