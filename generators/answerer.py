"""The answerer runs this room: a question, its route and its evidence in; tokens and a checked answer out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from generators import prompts
from generators.answer import Answer, Claim, Verdict
from generators.arithmetic import calculate
from generators.attribution import Drafted, Scores, attribute, largest
from generators.decoding import Decodable, decode
from generators.events import Answered, Checking, Event, Token
from generators.policies import Greedy, Policy
from generators.sentences import sentences
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
from retrievers.parts import parts

Cancelled = Callable[[], bool]
Group = tuple[str, tuple[Evidence, ...]]

BREAK = "\n"  # between the answers to the parts of a question


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


@dataclass(frozen=True, slots=True)
class _Said:
    """What was written, before the verdict."""

    text: str = ""
    claims: tuple[Claim, ...] = ()
    divergence: float = float("nan")
    decoded: bool = True


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
            yield Answered(self._answer(question, route, evidence, _Said(), signals, {}))
            return
        started, groups = time.perf_counter(), _by_part(question, evidence)
        drafts: list[Drafted] = []
        for part, items in groups:
            if drafts:
                yield Token(BREAK, float("nan"))
            drafts.append(Drafted())
            yield from self._decode(drafts[-1], *self._rows(part, items), cancelled)
            if cancelled is not None and cancelled():
                return
        written = time.perf_counter()
        text = BREAK.join(draft.text for draft in drafts)
        yield Checking(text)
        checked = self._check(groups, drafts)
        refused = all(refuses(draft.text) for draft in drafts)
        signals = replace(signals, refused=refused, supported=supported_share(checked))
        seconds = {"write": written - started, "check": time.perf_counter() - written}
        divergence = largest([value for draft in drafts for value in draft.divergences])
        said = _Said(text, checked, divergence)
        yield Answered(self._answer(question, route, evidence, said, signals, seconds))

    def _check(self, groups: Sequence[Group], drafts: Sequence[Drafted]) -> tuple[Claim, ...]:
        checked: list[Claim] = []
        offset, least = 0, self.options.thresholds.support
        for (part, items), draft in zip(groups, drafts, strict=True):
            claims = attribute(self.model, part, items, draft, least)
            checked += [replace(claim, start=claim.start + offset, end=claim.end + offset) for claim in claims]
            offset += len(draft.text) + len(BREAK)
        return tuple(checked)

    def _from_memory(self, question: str, route: Route, cancelled: Cancelled | None) -> Iterator[Event]:
        started, sum_ = time.perf_counter(), expression(question) if route.kind == "arithmetic" else None
        if sum_ is not None:
            text = f"{sum_} = {calculate(sum_)}"
            yield Token(text, float("nan"))
        else:
            draft = Drafted()
            prompt = self.model.chat_tokens(self._memory_prompt(question, route))
            yield from self._decode(draft, prompt, None, cancelled)
            text = draft.text
        if cancelled is not None and cancelled():
            return
        claims = tuple(Claim(text[a:b], a, b, "memory") for a, b in sentences(text))
        said = _Said(text, claims, decoded=sum_ is None)
        seconds = {"write": time.perf_counter() - started}
        yield Answered(self._answer(question, route, (), said, Signals(retrieved=False), seconds))

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
        self, draft: Drafted, rows: list[int], memory: list[int] | None, cancelled: Cancelled | None
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
            draft.take(step.token, step.text, step.divergence)
            if step.text:
                yield Token(step.text, step.divergence)

    def _answer(
        self,
        question: str,
        route: Route,
        evidence: tuple[Evidence, ...],
        said: _Said,
        signals: Signals,
        seconds: dict[str, float],
    ) -> Answer:
        verdict = decide(signals, self.options.thresholds)
        abstains = verdict is Verdict.NOT_IN_SOURCES
        measured = {
            "relevance": signals.relevance,
            "unknown names": float(signals.unknown_names),
            "supported": signals.supported,
            "refused": float(signals.refused),
            "divergence": said.divergence,
        }
        decoded = said.decoded and bool(said.text)
        return Answer(
            question=question,
            text=abstention(route, evidence) if abstains else said.text,
            verdict=verdict,
            claims=() if abstains else said.claims,
            evidence=evidence,
            route=route,
            model=self.model.name if decoded else "",
            policy=self.policy.name if decoded else "",
            signals=measured,
            seconds=seconds,
        )


def _by_part(question: str, evidence: Sequence[Evidence]) -> list[Group]:
    """Each part of the question with the evidence that was found for it; parts without evidence are left out."""
    groups = []
    for number, part in enumerate(parts(question), start=1):
        items = tuple(item for item in evidence if item.part == number)
        if items:
            groups.append((part, items))
    return groups
