"""The answerer runs this room: a question, its route and its evidence in; tokens and a checked answer out."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace

from generators import prompts
from generators.answer import Answer, Claim, Conflict, Verdict
from generators.arithmetic import calculate
from generators.citations.attribution import Drafted, attribute, largest
from generators.citations.marks import bare, sides_without_marks, unmarked, without_marks
from generators.citations.measuring import Checks
from generators.citations.unsupported import Unsupported, without_unsupported
from generators.conflicts.detect import find_conflict
from generators.conflicts.present import present
from generators.events import Answered, Checking, Event, Token
from generators.policies.base import Policy
from generators.remote.model import RemoteModel
from generators.sentences import sentences
from generators.verdicts.confidence import CONFIDENCE, evidence_signals
from generators.verdicts.verdict import (
    Signals,
    Thresholds,
    abstention,
    decide,
    hopeless,
    supported_share,
    unknown_names,
)
from generators.writing.base import Writing
from generators.writing.remembered import differs
from generators.writing.writers import LanguageModel, writer_for
from generators.writing.written import BREAK, Written, joined
from retrievers.evidence import Evidence, Route
from retrievers.gate import expression
from retrievers.parts import parts

Cancelled = Callable[[], bool]
Group = tuple[str, tuple[Evidence, ...]]


class _Gone(Exception):  # noqa: N818 (how a cancelled answer ends)
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Options:
    """How answers are written and checked.

    Parameters
    ----------
    max_tokens
        Longest answer.
    temperature, seed
        Of sampling; 0 takes the most probable token, and the answer is the same each time.
    thresholds
        Of the verdict.
    checks
        What attribution may use besides words and the language model.
    unsupported
        Whether sentences that fail their check are marked or removed.
    conflicts
        Whether passages are asked one by one where they may disagree.
    moved
        Divergence, in nats from 0 to ln 2, from which the model is asked what it would have said without the sources.
    """

    max_tokens: int = 120
    temperature: float = 0.0
    seed: int = 0
    thresholds: Thresholds = field(default_factory=Thresholds)
    checks: Checks = field(default_factory=Checks)
    unsupported: Unsupported = "mark"
    conflicts: bool = True
    moved: float = 0.6


@dataclass(frozen=True, slots=True)
class _Said:
    """What is to be said, before the verdict."""

    text: str = ""
    claims: tuple[Claim, ...] = ()
    divergence: float = float("nan")
    decoded: bool = True
    conflict: Conflict | None = None
    memory: str = ""
    differs: float = float("nan")


class Answerer:
    """Writes answers from evidence and checks them.

    Parameters
    ----------
    model
        The language model, held here or served elsewhere.
    policy
        How the branches with and without evidence are combined.
    options
        See ``Options``.
    facts
        Gives sentences about the panel as it is, for questions about the system.
    """

    def __init__(
        self, model: LanguageModel | RemoteModel, policy: Policy, options: Options, facts: Callable[[], list[str]]
    ) -> None:
        self.model = model
        self.options = options
        self.facts = facts
        self.writer = writer_for(model, policy, options)

    def speaking_for(self, facts: Callable[[], list[str]], confidence: float) -> Answerer:
        """One with the same model, policy and checks for a part of the panel: its facts, and the confidence fitted for it."""
        other = copy(self)
        other.facts = facts
        other.options = replace(self.options, thresholds=replace(self.options.thresholds, confidence=confidence))
        return other

    def stream(
        self, question: str, route: Route, evidence: Sequence[Evidence], cancelled: Cancelled | None = None
    ) -> Iterator[Event]:
        """Tokens as they are decoded, then the answer. A cancelled stream ends without an answer, at its next step.

        Parameters
        ----------
        cancelled
            Asked before each token, and before each step of the check.
        """
        with suppress(_Gone):
            if route.decision == "skip":
                yield from self._from_memory(question, route, cancelled)
            else:
                yield from self._from_sources(question, route, tuple(evidence), cancelled)

    def _from_sources(
        self, question: str, route: Route, evidence: tuple[Evidence, ...], cancelled: Cancelled | None
    ) -> Iterator[Event]:
        relevance = max((item.probability for item in evidence), default=0.0)
        confidence = CONFIDENCE.probability(evidence_signals(evidence))
        signals = Signals(True, relevance, unknown_names(question, route.unknown), confidence=confidence)
        if hopeless(signals, self.options.thresholds):
            _leave_if(cancelled)
            yield Answered(self._answer(question, route, evidence, _Said(), signals, {}))
            return
        started = time.perf_counter()
        drafts: list[tuple[str, tuple[Evidence, ...], Writing, Drafted]] = []
        for part, items in _by_part(question, evidence):
            if drafts:
                yield Token(BREAK, float("nan"))
            writing = self.writer.from_sources(part, items, cancelled)
            drafts.append((part, items, writing, (yield from _take(writing))))
            _leave_if(cancelled)
        written = time.perf_counter()
        yield Checking(BREAK.join(draft.text for *_, draft in drafts))
        checked = [self._check(*each, cancelled) for each in drafts]
        seconds = {"write": written - started, "check": time.perf_counter() - written}
        said, signals = self._said(checked, signals)
        _leave_if(cancelled)
        yield Answered(self._answer(question, route, evidence, said, signals, seconds))

    def _check(
        self, part: str, evidence: tuple[Evidence, ...], writing: Writing, draft: Drafted, cancelled: Cancelled | None
    ) -> Written:
        """Attribute the draft's sentences, look for a conflict between its sources, and ask memory where they moved it."""
        options, read = self.options, writing.evidence or evidence
        _leave_if(cancelled)
        claims = attribute(self.writer.scores, part, read, draft, options.thresholds.support, options.checks)
        text = draft.text
        _leave_if(cancelled)
        memory = writing.memory() if self._moved(draft) else ""
        if not isinstance(self.model, RemoteModel) and options.conflicts:
            _leave_if(cancelled)
            encode = options.checks.encode
            conflict = find_conflict(
                self.model, part, read, answer=bare(draft.text, {each.number for each in read}), encode=encode
            )
            if conflict is not None:
                return Written(part, evidence, draft, *present(conflict, evidence), conflict, memory)
        if options.unsupported == "remove" and any(claim.status == "supported" for claim in claims):
            text, claims = without_unsupported(text, claims)
        return Written(part, evidence, draft, text, claims, None, memory)

    def _moved(self, draft: Drafted) -> bool:
        """Whether the sources moved the model from its memory, or may have: a server's divergence is not known."""
        divergence = largest(draft.divergences)
        return divergence >= self.options.moved or isinstance(self.model, RemoteModel)

    def _said(self, checked: Sequence[Written], signals: Signals) -> tuple[_Said, Signals]:
        text, claims = joined(checked)
        conflict = next((part.conflict for part in checked if part.conflict is not None), None)
        divergence = largest([value for part in checked for value in part.draft.divergences])
        # A text that says the same in other words is no other memory.
        apart = [differs(part.question, part.draft.text, part.memory) for part in checked]
        memory = BREAK.join(part.memory for part, value in zip(checked, apart, strict=True) if value > 0)
        said = _Said(text, claims, divergence, conflict=conflict, memory=memory, differs=largest(apart))
        refused = all(part.refused for part in checked)
        return said, replace(signals, refused=refused, supported=supported_share(claims), conflict=conflict is not None)

    def _from_memory(self, question: str, route: Route, cancelled: Cancelled | None) -> Iterator[Event]:
        started, sum_ = time.perf_counter(), expression(question) if route.kind == "arithmetic" else None
        if sum_ is not None:
            text = f"{sum_} = {calculate(sum_)}"
            yield Token(text, float("nan"))
        else:
            draft = yield from _take(self.writer.from_memory(self._memory_prompt(question, route), cancelled))
            text = draft.text
        _leave_if(cancelled)
        claims = tuple(Claim(text[a:b], a, b, "memory") for a, b in sentences(text))
        said = _Said(text, claims, decoded=sum_ is None)
        seconds = {"write": time.perf_counter() - started}
        yield Answered(self._answer(question, route, (), said, Signals(retrieved=False), seconds))

    def _memory_prompt(self, question: str, route: Route) -> prompts.Messages:
        if route.kind == "about":
            return prompts.about(question, self.facts())
        return prompts.small_talk(question) if route.kind == "chitchat" else prompts.without_sources(question)

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
            "memory differs": said.differs,
            "confidence": signals.confidence if signals.retrieved else float("nan"),
        }
        decoded = said.decoded and bool(said.text)
        numbers = {item.number for item in evidence}
        text, claims = without_marks(said.text, said.claims, numbers)
        return Answer(
            question=question,
            text=abstention(route, evidence) if abstains else text,
            verdict=verdict,
            claims=() if abstains else claims,
            evidence=evidence,
            route=route,
            model=self.writer.name if decoded else "",
            policy=self.writer.policy if decoded else "",
            signals=measured,
            seconds=seconds,
            conflict=None if abstains else sides_without_marks(said.conflict, numbers),
            memory="" if abstains else unmarked(said.memory, numbers),
        )


def _leave_if(cancelled: Cancelled | None) -> None:
    if cancelled is not None and cancelled():
        raise _Gone


def _take(writing: Writing) -> Generator[Event, None, Drafted]:
    """Pass the draft on token by token, and keep it."""
    draft = Drafted()
    for step in writing.steps:
        draft.take(step.token, step.text, step.divergence)
        if step.text:
            yield Token(step.text, step.divergence)
    return draft


def _by_part(question: str, evidence: Sequence[Evidence]) -> list[Group]:
    """Each part of the question with the evidence that was found for it; parts without evidence are left out."""
    groups = []
    for number, part in enumerate(parts(question), start=1):
        items = tuple(item for item in evidence if item.part == number)
        if items:
            groups.append((part, items))
    return groups
