"""What flows out of this room: the route that a question took, and the evidence that was found on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from indexes.passage import Passage

Decision = Literal["retrieve", "skip"]
Kind = Literal["domain", "chitchat", "arithmetic", "about"]


@dataclass(frozen=True, slots=True)
class Share:
    """One expert's part in a route: the probability that it should be asked, and whether it was."""

    expert: str
    probability: float
    asked: bool


@dataclass(frozen=True, slots=True)
class Route:
    """Which experts a question was sent to, and why.

    Parameters
    ----------
    decision
        ``retrieve``, or ``skip`` where no retrieval is needed.
    kind
        What sort of question the gate took it for; all but ``domain`` skip retrieval.
    shares
        All experts by falling probability, ties by name. Where there are any, they and ``null`` sum to 1.
    null
        Probability of the null expert: that no retrieval is needed.
    reason
        One sentence for people.
    failures
        Experts that were asked and broke, with the message. The others' evidence stands.
    unknown
        Words of the question that no passage of the experts asked holds.
    """

    decision: Decision
    kind: Kind
    shares: tuple[Share, ...]
    null: float
    reason: str
    failures: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def experts(self) -> tuple[str, ...]:
        """Names of the experts that were asked, most probable first."""
        return tuple(share.expert for share in self.shares if share.asked)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "decision": self.decision,
            "kind": self.kind,
            "experts": list(self.experts),
            "shares": [{"expert": s.expert, "probability": s.probability, "asked": s.asked} for s in self.shares],
            "null": self.null,
            "reason": self.reason,
            "failures": dict(self.failures),
            "unknown": list(self.unknown),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage that an expert found, numbered as it is cited.

    Parameters
    ----------
    number
        1, 2, 3, …: the ``[n]`` of the answer and of the source card.
    probability
        Calibrated probability of relevance, comparable across experts.
    scores
        The raw signals behind it, by name (``dense`` cosine, ``bm25``); for explanations, not for display as percentages.
    part
        Which part of the question it was found for (see ``retrievers.parts``); 1 where the question has but one.
    """

    number: int
    passage: Passage
    expert: str
    probability: float
    scores: Mapping[str, float] = field(default_factory=dict)
    part: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "number": self.number,
            "part": self.part,
            "expert": self.expert,
            "probability": self.probability,
            "scores": dict(self.scores),
            "passage": self.passage.to_dict(),
        }

    def __str__(self) -> str:
        where = f" ({self.passage.date})" if self.passage.date else ""
        return f"[{self.number}] {self.expert}: {self.passage.heading}{where}"
