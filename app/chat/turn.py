"""One question of a conversation and what is known about it so far; it grows as steps arrive and never touches the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from generators.answer import Answer
from generators.events import Answered, Checking, Event, Found, Routed, Token
from retrievers.evidence import Evidence, Route


class Stage(StrEnum):
    """What is being done for a question, in this order."""

    LOADING = "Loading the models"
    SEARCHING = "Routing and searching"
    WRITING = "Writing"
    CHECKING = "Checking"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The models are in memory."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The question could not be answered: what happened and what to do, as in ``SymposiaError``."""

    problem: str
    fix: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more comes."""


Step = Event | Loaded | Failed | Ended


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
    started
        Clock reading, in seconds, at which the question was asked.
    seconds
        Wall time of each finished stage.
    done
        True when nothing more comes. Without an answer and without a failure, it was stopped.
    """

    number: int
    question: str
    started: float
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

    @property
    def stopped(self) -> bool:
        """True where it ended early because somebody asked for that."""
        return self.done and self.answer is None and self.failure is None

    def waited(self, now: float) -> float:
        """Seconds since the question was asked, or until its end."""
        return sum(self.seconds.values()) if self.done else now - self.started

    def absorb(self, step: Step, at: float) -> None:
        """Take note of ``step``, which happened at clock reading ``at``."""
        match step:
            case Loaded():
                self._enter(Stage.SEARCHING, at)
            case Routed(route):
                self.route = route
            case Found(evidence):
                self.evidence = evidence
                self._enter(Stage.WRITING, at)
            case Token(text):
                self.draft += text
            case Checking(draft):
                self.draft = draft
                self._enter(Stage.CHECKING, at)
            case Answered(answer):
                self.answer, self.route, self.evidence = answer, answer.route, answer.evidence
            case Failed():
                self.failure = step
            case Ended():
                self._enter(self.stage, at)
                self.done = True

    def _enter(self, stage: Stage, at: float) -> None:
        self.seconds[self.stage] = at - self._since
        self.stage, self._since = stage, at
