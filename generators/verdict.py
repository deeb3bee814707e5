"""The verdict: a pure function of measured signals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generators.answer import Claim, Verdict
from generators.terms import terms, words
from retrievers.evidence import Evidence, Route

_REFUSAL = re.compile(
    r"\b(?:sources?|passages?|text|context|information)\b[^.]{0,40}\b(?:do|does|did)(?:\s+not|n['’]t)\s+"
    r"(?:\w+\s+){0,2}(?:say|state|contain|mention|provide|include|specify|give|answer|address|discuss)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Signals:
    """What was measured.

    Parameters
    ----------
    retrieved
        Whether retrieval was made.
    relevance
        Calibrated probability of relevance of the best evidence; 0 where there is none.
    refused
        Whether the model said that the sources do not contain the answer.
    supported
        Share of the answer's sentences that passed their check.
    """

    retrieved: bool
    relevance: float = 0.0
    refused: bool = False
    supported: float = 0.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the lines are drawn.

    Parameters
    ----------
    relevance
        Below it nothing that was found is taken to be about the question.
    support
        Degree from which a passage supports a claim.
    """

    relevance: float = 0.1
    support: float = 0.5


def decide(signals: Signals, thresholds: Thresholds) -> Verdict:
    """The verdict on one answer."""
    if not signals.retrieved:
        return Verdict.FROM_MEMORY
    if signals.relevance < thresholds.relevance or signals.refused or signals.supported <= 0:
        return Verdict.NOT_IN_SOURCES
    return Verdict.ANSWERED


def refuses(text: str) -> bool:
    """Whether a draft says that the sources do not contain the answer.

    >>> refuses("The sources do not say."), refuses("He did not say why.")
    (True, False)
    """
    return _REFUSAL.search(text) is not None


def supported_share(claims: Sequence[Claim]) -> float:
    """Share of the claims that are supported; 0 for none."""
    return sum(claim.status == "supported" for claim in claims) / len(claims) if claims else 0.0


def abstention(question: str, route: Route, evidence: Sequence[Evidence]) -> str:
    """What an abstention says: what was searched, what is missing, and the nearest that was found."""
    searched = ", ".join(route.experts) or "no expert"
    parts = [f"The sources do not say. Searched: {searched}."]
    held = frozenset[int]().union(*(terms(item.passage.searchable) for item in evidence))
    missing = [word for word in words(question) if not terms(word) & held]
    if evidence and missing:
        quoted = ", ".join(f"“{word}”" for word in missing)
        parts.append(f"None of the passages found mentions {quoted}.")
    if evidence:
        parts.append(f"The nearest is [{evidence[0].number}] {evidence[0].passage.heading} ({evidence[0].expert}).")
    return " ".join(parts)
