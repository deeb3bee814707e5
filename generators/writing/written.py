"""One part of a question as it was answered: the draft, its checked sentences, and where its sources disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from generators.answer import Claim, Conflict
from generators.citations.attribution import Drafted
from generators.verdicts.verdict import refuses
from retrievers.evidence import Evidence

BREAK = "\n"  # between the answers to the parts of a question


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to one part.

    Parameters
    ----------
    question
        The part.
    evidence
        What was found for it and put before the model.
    draft
        What the model wrote.
    text, claims
        What is shown: the draft or what is left of it, or the sides of a conflict.
    conflict
        Where the sources disagree.
    memory
        What the model says without the sources, where that was asked.
    """

    question: str
    evidence: tuple[Evidence, ...]
    draft: Drafted
    text: str
    claims: tuple[Claim, ...]
    conflict: Conflict | None = None
    memory: str = ""

    @property
    def refused(self) -> bool:
        """Whether the model said that the sources do not contain the answer."""
        return refuses(self.draft.text)


def joined(parts: Sequence[Written]) -> tuple[str, tuple[Claim, ...]]:
    """The parts' texts, a line each, and their claims at their offsets in the whole."""
    claims: list[Claim] = []
    texts: list[str] = []
    offset = 0
    for part in parts:
        if not part.text:
            continue
        claims += [replace(claim, start=claim.start + offset, end=claim.end + offset) for claim in part.claims]
        texts.append(part.text)
        offset += len(part.text) + len(BREAK)
    return BREAK.join(texts), tuple(claims)
