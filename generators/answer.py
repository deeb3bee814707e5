"""What flows out of this room: an answer whose every sentence is a claim with citations and a status."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from indexes.errors import InputError
from indexes.passage import Passage
from retrievers.evidence import Evidence, Route, Share

Status = Literal["supported", "unsupported", "memory"]


class Verdict(StrEnum):
    """What kind of answer this is."""

    ANSWERED = "answered"
    FROM_MEMORY = "answered from memory"
    CONFLICT = "sources conflict"
    NOT_IN_SOURCES = "not in the sources"


@dataclass(frozen=True, slots=True)
class Citation:
    """A checked link from a claim to a piece of evidence.

    Parameters
    ----------
    number
        The evidence's number.
    start, end
        The supporting span, as offsets into the evidence passage's text.
    contrast
        Nats per token by which the passage raises the claim's log-probability over no passage at all; NaN where it was
        not measured.
    support
        Probability, 0 to 1, that the claim rests on the passage (see ``generators.citations.measuring``).
    """

    number: int
    start: int
    end: int
    contrast: float
    support: float


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the answer.

    Parameters
    ----------
    start, end
        Offsets of the sentence in the answer's text.
    status
        ``supported`` by at least one citation, ``unsupported``, or ``memory`` where no retrieval was made.
    divergence
        Largest Jensen-Shannon divergence over its tokens between the model with and without the evidence, in nats
        (0 to ln 2): how far the sources moved the model from its memory. NaN where only one branch was decoded.
    """

    text: str
    start: int
    end: int
    status: Status
    citations: tuple[Citation, ...] = ()
    divergence: float = float("nan")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the answers that the sources give.

    Parameters
    ----------
    text
        The answer in a few words.
    citations
        Where each of its sources says so.
    """

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Sources that answer one question differently.

    Parameters
    ----------
    question
        The question, or the part of it, that they disagree about.
    sides
        Two or more, those with the most sources first.
    """

    question: str
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question, with everything needed to check it.

    Parameters
    ----------
    text
        The answer without citation marks; an abstention says what was searched and the nearest that was found.
    signals
        The measured numbers that the verdict was decided on.
    seconds
        Wall time per stage.
    conflict
        Where the sources disagree.
    memory
        What the model would have said without the sources; empty where it was not asked, or says the same.
    """

    question: str
    text: str
    verdict: Verdict
    claims: tuple[Claim, ...]
    evidence: tuple[Evidence, ...]
    route: Route
    model: str
    policy: str
    signals: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    conflict: Conflict | None = None
    memory: str = ""

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Those of the claims, then those of the sides of a conflict."""
        sides = self.conflict.sides if self.conflict is not None else ()
        claimed = (citation for claim in self.claims for citation in claim.citations)
        return (*claimed, *(citation for side in sides for citation in side.citations))

    @property
    def cited(self) -> tuple[Evidence, ...]:
        """The evidence that at least one claim or side of a conflict cites, in order of number."""
        numbers = {citation.number for citation in self.citations}
        return tuple(item for item in self.evidence if item.number in numbers)

    @property
    def marked(self) -> str:
        """The text with ``[n]`` behind each cited sentence and ``[unsupported]`` behind each that failed its check."""
        pieces, position = [], 0
        for claim in self.claims:
            pieces.append(self.text[position : claim.end])
            pieces.append("".join(f" [{c.number}]" for c in claim.citations))
            pieces.append(" [unsupported]" if claim.status == "unsupported" else "")
            position = claim.end
        return "".join([*pieces, self.text[position:]])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; NaN becomes ``None``. ``from_dict`` is the inverse."""
        return {
            "question": self.question,
            "text": self.text,
            "marked": self.marked,
            "verdict": self.verdict.value,
            "claims": [_claim_dict(claim) for claim in self.claims],
            "evidence": [item.to_dict() for item in self.evidence],
            "route": self.route.to_dict(),
            "model": self.model,
            "policy": self.policy,
            "signals": {name: _number(value) for name, value in self.signals.items()},
            "seconds": dict(self.seconds),
            "conflict": None if self.conflict is None else _conflict_dict(self.conflict),
            "memory": self.memory,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Answer:
        """Inverse of ``to_dict``; ``None`` becomes NaN again.

        Raises
        ------
        InputError
            The values are none that ``to_dict`` gives.
        """
        try:
            return cls(
                question=values["question"],
                text=values["text"],
                verdict=Verdict(values["verdict"]),
                claims=tuple(map(_claim, values["claims"])),
                evidence=tuple(map(_evidence, values["evidence"])),
                route=_route(values["route"]),
                model=values["model"],
                policy=values["policy"],
                signals={name: _float(value) for name, value in values["signals"].items()},
                seconds=dict(values["seconds"]),
                conflict=None if values["conflict"] is None else _conflict(values["conflict"]),
                memory=values["memory"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(
                f"This is not an answer: {type(error).__name__}: {error}.",
                "Give what Answer.to_dict() gave, unchanged.",
            ) from error

    def __str__(self) -> str:
        sources = [str(item) for item in self.cited]
        return "\n".join([self.marked, *sources, f"verdict: {self.verdict.value}"])


def _claim_dict(claim: Claim) -> dict[str, Any]:
    return {
        "text": claim.text,
        "start": claim.start,
        "end": claim.end,
        "status": claim.status,
        "divergence": _number(claim.divergence),
        "citations": [_citation_dict(citation) for citation in claim.citations],
    }


def _conflict_dict(conflict: Conflict) -> dict[str, Any]:
    sides = [{"text": s.text, "citations": [_citation_dict(c) for c in s.citations]} for s in conflict.sides]
    return {"question": conflict.question, "sides": sides}


def _citation_dict(citation: Citation) -> dict[str, Any]:
    return {
        "number": citation.number,
        "start": citation.start,
        "end": citation.end,
        "contrast": _number(citation.contrast),
        "support": citation.support,
    }


def _number(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 (NaN is the one value that differs from itself)


def _float(value: float | None) -> float:
    return math.nan if value is None else value


def _claim(values: Mapping[str, Any]) -> Claim:
    citations = _citations(values["citations"])
    divergence = _float(values["divergence"])
    return Claim(values["text"], values["start"], values["end"], values["status"], citations, divergence)


def _citations(listed: Sequence[Mapping[str, Any]]) -> tuple[Citation, ...]:
    return tuple(Citation(**{**values, "contrast": _float(values["contrast"])}) for values in listed)


def _conflict(values: Mapping[str, Any]) -> Conflict:
    sides = tuple(Side(side["text"], _citations(side["citations"])) for side in values["sides"])
    return Conflict(values["question"], sides)


def _evidence(values: Mapping[str, Any]) -> Evidence:
    return Evidence(**{**values, "scores": dict(values["scores"]), "passage": Passage.from_dict(values["passage"])})


def _route(values: Mapping[str, Any]) -> Route:
    return Route(
        decision=values["decision"],
        kind=values["kind"],
        shares=tuple(Share(**share) for share in values["shares"]),
        null=values["null"],
        reason=values["reason"],
        failures=dict(values["failures"]),
        unknown=tuple(values["unknown"]),
    )
