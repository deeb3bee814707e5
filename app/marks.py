"""What the terminal and the chat both say about an answer, so that they say the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generators.answer import Answer, Citation, Claim
    from retrievers.evidence import Evidence

MOVED = 0.6
"""Jensen-Shannon divergence, in nats, from which the sources are said to have moved the model from its memory.

The most that there can be is ln 2 = 0.69. A sentence's divergence is the largest over its tokens, and half the sentences
that the default model writes from sources are above 0.6."""


def moved(claim: Claim, answer: Answer) -> bool:
    """Whether the sources support the sentence, and the model, whose memory is shown, would have gone on otherwise."""
    return bool(answer.memory) and claim.status == "supported" and claim.divergence >= MOVED


def beside_sides(answer: Answer) -> Answer:
    """The answer without those sentences that spell out the sides of its conflict, which are shown as a list."""
    if answer.conflict is None:
        return answer
    spelt = {side.citations for side in answer.conflict.sides}
    claims: list[Claim] = []
    position = 0
    for claim in answer.claims:
        if claim.citations not in spelt:
            claims.append(replace(claim, start=position, end=position + len(claim.text)))
            position += len(claim.text) + 1
    return replace(answer, text=" ".join(claim.text for claim in claims), claims=tuple(claims))


def numbers(cited: Iterable[Citation]) -> list[int]:
    """The numbers that are cited, each once, in the order in which they are."""
    return list(dict.fromkeys(citation.number for citation in cited))


def sayers(cited: Iterable[Citation], evidence: Iterable[Evidence]) -> dict[int, str]:
    """Who says so and when, by number, in the order in which they are cited: ``countries, 2024``."""
    known = {item.number: item for item in evidence}
    return {number: _sayer(known[number]) for number in numbers(cited) if number in known}


def _sayer(item: Evidence) -> str:
    return f"{item.expert}, {item.passage.date}" if item.passage.date else item.expert
