"""The verdict: a pure function of measured signals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generators.answer import Claim, Verdict
from generators.citations.marks import unmarked
from generators.inert import in_line
from generators.sentences import sentences
from retrievers.evidence import Evidence, Route

_NAME = re.compile(r"^[A-ZÀ-Þ]|\d|[._]")
_SOURCES = r"(?:sources?|passages?|texts?|context|information)"
_BESIDE = (  # what may stand between that subject and its verb: no comma, no other subject, no verb of its own
    r"provided|given|above|below|here|available|supplied|shown|cited|listed|alone|themselves|itself|question|\[?\d+\]?|"
    rf"(?:in|of|from|for|to|and|or)(?:\s+(?:the|these|this|your|you|me|us))?(?:\s+{_SOURCES})?|"
    r"(?:(?:that|which)\s+)?(?:I|we|you)\s+(?:have|had|was|were|are|am)"
)
_REFUSAL = re.compile(
    rf"\b{_SOURCES}(?:\s+(?:{_BESIDE})){{0,4}}\s+(?:do|does|did)(?:\s+not|n['’]t)\s+"
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
        Share of the answer's sentences that passed their check; those that say what the sources do not tell are left out.
    unknown_names
        How many names in the question (capitalised words, numbers, identifiers) no passage of the experts asked holds.
    confidence
        Probability that the sources answer the question (see ``generators.verdicts.confidence``); 1 where it was not measured.
    conflict
        Whether sources were found to answer differently.
    """

    retrieved: bool
    relevance: float = 0.0
    unknown_names: int = 0
    refused: bool = False
    supported: float = 0.0
    confidence: float = 1.0
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the lines are drawn.

    Parameters
    ----------
    relevance
        Below it nothing that was found is taken to be about the question.
    support
        Degree from which a passage supports a claim.
    confidence
        Below it nothing is answered from the sources. 0 where no labelled questions have fitted it; see
        ``generators.verdicts.calibrated_verdict``.
    """

    relevance: float = 0.08
    support: float = 0.5
    confidence: float = 0.0


def hopeless(signals: Signals, thresholds: Thresholds) -> bool:
    """Whether what was found cannot hold the answer, so that none need be written."""
    unsure = signals.confidence < thresholds.confidence
    return unsure or signals.relevance < thresholds.relevance or signals.unknown_names > 0


def decide(signals: Signals, thresholds: Thresholds) -> Verdict:
    """The verdict on one answer.

    Sources that answer differently do answer, so that a conflict is shown even where the model's draft was a refusal.
    """
    if not signals.retrieved:
        return Verdict.FROM_MEMORY
    if hopeless(signals, thresholds):
        return Verdict.NOT_IN_SOURCES
    if signals.conflict:
        return Verdict.CONFLICT
    if signals.refused or signals.supported <= 0:
        return Verdict.NOT_IN_SOURCES
    return Verdict.ANSWERED


def unknown_names(question: str, unknown: Sequence[str]) -> int:
    """How many of the ``unknown`` words are names: capitalised inside the question, or with a digit, ``.`` or ``_``.

    >>> unknown_names("What is the currency of Wakanda?", ["Wakanda"])
    1
    >>> unknown_names("Whence came the sourdough?", ["Whence", "sourdough"])
    0
    """
    first = question.split(maxsplit=1)[0] if question.split() else ""
    return sum(bool(_NAME.search(word)) and not (first.startswith(word) and word.isalpha()) for word in unknown)


def refuses(text: str) -> bool:
    """Whether a draft says that the sources do not contain the answer.

    Its first sentence decides: what comes behind a refusal is no answer to the question, and an answer remains one where a
    later sentence says what else the sources do not tell.

    >>> refuses("The sources do not say."), refuses("He did not say why."), refuses("In 1991. The text does not say why.")
    (True, False, False)
    """
    return any(_REFUSAL.search(text[start:end]) for start, end in sentences(text)[:1])


def supported_share(claims: Sequence[Claim]) -> float:
    """Share of the claims that are supported, those apart that say what the sources do not tell; 0 for none."""
    answering = [claim for claim in claims if not _REFUSAL.search(claim.text)]
    return sum(claim.status == "supported" for claim in answering) / len(answering) if answering else 0.0


def abstention(route: Route, evidence: Sequence[Evidence]) -> str:
    """What an abstention says: what was searched, what is missing, and the nearest that was found."""
    searched = ", ".join(route.experts) or "no expert"
    parts = [f"The sources do not say. Searched: {searched}."]
    if route.unknown:
        quoted = ", ".join(f"“{word}”" for word in route.unknown)
        parts.append(f"No passage there mentions {quoted}.")
    if evidence:
        heading = unmarked(in_line(evidence[0].passage.heading), {item.number for item in evidence})
        parts.append(f"The nearest is [{evidence[0].number}] {heading} ({evidence[0].expert}).")
    return " ".join(parts)
