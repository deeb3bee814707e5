"""Routing: which experts to ask, and whether retrieval is needed at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from indexes.encoders.base import Vectors
from indexes.errors import unknown_expert
from retrievers.calibration import softmax
from retrievers.evidence import Decision, Kind, Route, Share
from retrievers.gate import CERTAIN, NullExpert, expression
from retrievers.profile import Profile
from retrievers.scorers import Familiarity, Scorer

Knows = Callable[[str], bool]
"""Whether the language model surely knows the answer to a question itself; see ``generators.decoding.uncertainty``."""

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person who asks has decided already.

    Parameters
    ----------
    force
        Experts to ask, instead of those that the router would choose.
    forbid
        Experts that must not be asked.
    retrieval
        True to retrieve, False not to, whatever the gate says; ``None`` leaves it to the gate.
    """

    force: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    retrieval: bool | None = None

    def check(self, known: Collection[str]) -> None:
        """Raise an ``InputError`` that lists the experts there are, where a name is none of them."""
        for name in (*self.force, *self.forbid):
            if name not in known:
                raise unknown_expert(name, known)


class Router(Protocol):
    """Chooses 0…n experts for a question, with probabilities and a reason."""

    def route(self, question: str, vector: Vectors, experts: Mapping[str, Profile], wishes: Wishes) -> Route:
        """Route one question, whose base embedding is ``vector`` ``[dimension]``."""


@dataclass(frozen=True, slots=True)
class ScoredRouter:
    """The null expert first, then the smallest set of experts that holds the mass, by the probabilities that a scorer gives.

    Whether retrieval is needless is the null expert's probability (see ``retrievers.gate``); what is left is shared out by
    the scorer. The adaptive number of experts is that of "Harder Tasks Need More Experts" (arXiv 2403.07652).

    Parameters
    ----------
    null
        The null expert.
    scorer
        See ``retrievers.scorers``.
    mass
        Probability that the asked experts must hold together, of what the null expert leaves.
    most
        Largest number of experts to ask.
    skip
        Probability of the null expert from which retrieval is skipped. Unsure means retrieve.
    temperature
        Of the softmax over the scorer's logits.
    knows
        Asked where retrieval would be made and no expert is familiar with the question: whether the language model surely
        knows the answer itself, so that retrieval is skipped. ``None`` never skips for that reason.
    """

    null: NullExpert
    scorer: Scorer = field(default_factory=Familiarity)
    mass: float = 0.9
    most: int = 3
    skip: float = 0.8
    temperature: float = 1.0
    knows: Knows | None = None

    def route(self, question: str, vector: Vectors, experts: Mapping[str, Profile], wishes: Wishes) -> Route:
        """See ``Router``."""
        allowed = {name: experts[name] for name in sorted(experts) if name not in wishes.forbid}
        familiarity = max((profile.pilots.score(vector) for profile in allowed.values()), default=0.0)
        null = self.null.probability(question, vector, familiarity)
        logits = self.scorer.logits(question, vector, allowed) / self.temperature
        shares = (1 - null) * softmax(logits) if allowed else logits
        ranked = sorted(zip(allowed, map(float, shares), strict=True), key=lambda pair: (-pair[1], pair[0]))
        decision, kind, reason = self._gate(question, vector, null, wishes, familiar=familiarity >= CERTAIN)
        asked = self._asked(ranked, wishes) if decision == "retrieve" else ()
        if decision == "retrieve":
            reason = _explain(ranked, asked, reason, forced=bool(wishes.force))
        return Route(decision, kind, tuple(Share(name, p, name in asked) for name, p in ranked), null, reason)

    def _gate(
        self, question: str, vector: Vectors, null: float, wishes: Wishes, *, familiar: bool
    ) -> tuple[Decision, Kind, str]:
        if wishes.retrieval or (wishes.force and wishes.retrieval is None):
            return "retrieve", "domain", "Retrieval was asked for."
        kind, reason = self._needless(question, vector, null)
        if wishes.retrieval is False:
            return "skip", kind, "Retrieval was switched off for this question."
        if kind != "domain":
            return "skip", kind, reason
        if self.knows is not None and not familiar and self.knows(question):
            return "skip", kind, "No expert is familiar with it, and the language model is sure of its answer."
        return "retrieve", kind, ""

    def _needless(self, question: str, vector: Vectors, null: float) -> tuple[Kind, str]:
        """Kind of a question that needs no retrieval, with the reason; ``domain`` for any other."""
        if expression(question) is not None:
            return "arithmetic", "It is a calculation, which needs no sources."
        if null < self.skip:
            return "domain", ""
        kind = self.null.nearest(vector)
        return kind, f"It reads like {_KINDS[kind]} ({null:.0%}), which needs no sources."

    def _asked(self, ranked: list[tuple[str, float]], wishes: Wishes) -> tuple[str, ...]:
        if wishes.force:
            return tuple(name for name, _ in ranked if name in wishes.force)
        total = sum(probability for _, probability in ranked)
        asked: list[str] = []
        held = 0.0
        for name, probability in ranked[: self.most]:
            asked.append(name)
            held += probability / total if total > 0 else 0.0
            if self.mass < 1 and held >= self.mass - ROUNDING:
                break
        return tuple(asked)


def combine(routes: Sequence[Route]) -> Route:
    """One route for the parts of a question: whoever is asked for one part is asked, and probabilities are averaged.

    Parts that need no retrieval are left to those that do.
    """
    if len(routes) == 1:
        return routes[0]
    searching = [route for route in routes if route.decision == "retrieve"]
    if not searching:
        return routes[0]
    asked = {name for route in searching for name in route.experts}
    names = sorted({share.expert for route in routes for share in route.shares})
    mean = {n: sum(s.probability for r in routes for s in r.shares if s.expert == n) / len(routes) for n in names}
    shares = tuple(Share(n, mean[n], n in asked) for n in sorted(names, key=lambda n: (-mean[n], n)))
    reason = " ".join(f"Part {i}: {route.reason}" for i, route in enumerate(routes, start=1))
    return Route("retrieve", "domain", shares, sum(route.null for route in routes) / len(routes), reason)


_KINDS: Mapping[Kind, str] = {
    "chitchat": "small talk",
    "about": "a question about this system",
    "arithmetic": "a calculation",
    "domain": "a question for the experts",
}


def _explain(ranked: list[tuple[str, float]], asked: tuple[str, ...], prefix: str, *, forced: bool) -> str:
    if not asked:
        return f"{prefix} There is no expert to ask.".strip()
    shares = ", ".join(f"{name} ({probability:.0%})" for name, probability in ranked if name in asked)
    if forced:
        return f"The experts were chosen by hand: {shares}."
    why = "it is clearly the most familiar with it" if len(asked) == 1 else "no expert alone is probable enough"
    return f"{prefix} Asked {shares}: {why}.".strip()
