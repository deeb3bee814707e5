"""One question of a conversation and what is known about it so far; it grows as steps arrive and never touches the page."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from generators.answer import Answer
from generators.events import Answered, Checking, Event, Found, Routed, Token, Understood
from retrievers.evidence import Evidence, Route

if TYPE_CHECKING:
    from app.conversations.store import StoredTurn


class Stage(StrEnum):
    """What is being done for a question, in this order."""

    LOADING = "Loading the models"
    READING = "Reading the question in the light of those before"
    SEARCHING = "Routing and searching"
    WRITING = "Writing"
    CHECKING = "Checking"


TIMED = {"understand": Stage.READING, "retrieve": Stage.SEARCHING, "write": Stage.WRITING, "check": Stage.CHECKING}
"""The stages by the names that ``Answer.seconds`` has for them."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The models are in memory."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The question could not be answered: what happened and what to do, as in ``SymposiaError``."""

    problem: str
    fix: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """The answer is kept in its conversation."""

    turn: StoredTurn


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """The answer could not be kept, and why; it is shown all the same."""

    why: Failed


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more comes."""


Step = Event | Loaded | Failed | Recorded | Unrecorded | Ended


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person decided in place of the router; ``retrieval`` is ``None`` where the gate decides."""

    experts: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    retrieval: bool | None = None

    def __str__(self) -> str:
        parts = {None: [], True: ["always search"], False: ["answer from memory"]}[self.retrieval]
        if self.experts:
            parts.append(f"ask only {', '.join(self.experts)}")
        if self.forbid:
            parts.append(f"never ask {', '.join(self.forbid)}")
        return "; ".join(parts)


@dataclass(slots=True)
class Turn:
    """A question and its answer.

    Parameters
    ----------
    number
        Counts the questions of the conversation from 1; keeps the addresses of its source cards apart.
    question
        As it was typed.
    started
        Clock reading, in seconds, at which the question was asked.
    follows
        Whether there were questions before it, in the light of which it is understood.
    understood
        The question as it was understood, where that is known.
    stored
        What is kept of it, once it is.
    unrecorded
        Why it could not be kept.
    taken
        How many of its worker's steps were taken note of.
    seconds
        Wall time of each finished stage.
    done
        True when nothing more comes. Without an answer and without a failure, it was stopped.
    """

    number: int
    question: str
    started: float
    follows: bool = False
    understood: str = ""
    stored: StoredTurn | None = None
    unrecorded: Failed | None = None
    taken: int = 0
    stage: Stage = Stage.LOADING
    route: Route | None = None
    evidence: tuple[Evidence, ...] = ()
    draft: str = ""
    answer: Answer | None = None
    failure: Failed | None = None
    seconds: dict[Stage, float] = field(default_factory=dict)
    done: bool = False
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = self.started

    @classmethod
    def reopened(cls, number: int, stored: StoredTurn) -> Self:
        """A turn of a saved conversation."""
        answer = stored.answer
        turn = cls(number, stored.asked, 0.0, understood=answer.question, stored=stored, answer=answer, done=True)
        turn.route, turn.evidence = answer.route, answer.evidence
        turn.seconds = {stage: answer.seconds[name] for name, stage in TIMED.items() if name in answer.seconds}
        return turn

    @property
    def rewritten(self) -> str:
        """The question as it was understood, where that is another than was typed."""
        return "" if self.understood.split() == self.question.split() else self.understood

    def judge(self, helpful: bool | None, comment: str) -> None:
        """Take note of what the person thinks of the answer."""
        if self.stored is not None:
            self.stored = replace(self.stored, helpful=helpful, comment=comment)

    @property
    def stopped(self) -> bool:
        """True where it ended early because somebody asked for that."""
        return self.done and self.answer is None and self.failure is None

    def waited(self, now: float) -> float:
        """Seconds since the question was asked, or until its end."""
        return sum(self.seconds.values()) if self.done else now - self.started

    def absorb(self, step: Step, at: float) -> None:
        """Take note of ``step``, which happened at clock reading ``at``."""
        self.taken += 1
        match step:
            case Loaded():
                self._enter(Stage.READING if self.follows else Stage.SEARCHING, at)
            case Recorded(stored):
                self.stored = stored
            case Unrecorded(why):
                self.unrecorded = why
            case Failed():
                self.failure = step
            case Ended():
                self._enter(self.stage, at)
                self.done = True
            case _:
                self._report(step, at)

    def _report(self, event: Event, at: float) -> None:
        match event:
            case Understood(question):
                self.understood = question
                self._enter(Stage.SEARCHING, at)
            case Routed(route):
                self.route = route
            case Found(evidence):
                self.evidence = evidence
                self.stage = Stage.SEARCHING  # also where the question needed no other words, and nothing said so
                self._enter(Stage.WRITING, at)
            case Token(text):
                self.draft += text
            case Checking(draft):
                self.draft = draft
                self._enter(Stage.CHECKING, at)
            case Answered(answer):
                self.answer, self.route, self.evidence = answer, answer.route, answer.evidence
                self.understood = answer.question

    def _enter(self, stage: Stage, at: float) -> None:
        self.seconds[self.stage] = at - self._since
        self.stage, self._since = stage, at
