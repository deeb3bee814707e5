"""What a question reports while it is being answered, in this order: understood, routed, found, tokens, checking, answered."""

from __future__ import annotations

from dataclasses import dataclass

from generators.answer import Answer
from retrievers.evidence import Evidence, Route


@dataclass(frozen=True, slots=True)
class Understood:
    """The follow-up as a question that stands for itself; it comes only where that differs from what was asked."""

    question: str


@dataclass(frozen=True, slots=True)
class Routed:
    """The route is known."""

    route: Route


@dataclass(frozen=True, slots=True)
class Found:
    """The evidence is known; it comes before the first token."""

    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the draft. ``divergence`` is that of the token's step, in nats, NaN where one branch was decoded."""

    text: str
    divergence: float


@dataclass(frozen=True, slots=True)
class Checking:
    """The draft is complete; its sentences are being attributed and checked."""

    draft: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The checked answer. Its text replaces the draft: an abstention does not repeat what the sources do not support."""

    answer: Answer


Event = Understood | Routed | Found | Token | Checking | Answered
