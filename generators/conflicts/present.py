"""A conflict in words: one sentence a side, each with its own sources, experts and dates, and nothing blended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from generators.answer import Claim, Conflict, Side
from generators.inert import in_line
from retrievers.evidence import Evidence

SEVERAL = 2  # sources that a side needs to be compared with others that have one


def present(
    conflict: Conflict, evidence: Sequence[Evidence], *, name_minority: bool = True
) -> tuple[str, tuple[Claim, ...]]:
    """The answer's text, and one claim a sentence.

    Where one side has several sources, and more than all others together, which have one each, it is what most sources
    say. That is a count, not a judgement: which sources are right cannot be known from them.

    Parameters
    ----------
    evidence
        What the conflict's citations number.
    name_minority
        Whether the text repeats what a lone source says against several others; else it says only that it says
        otherwise, and its citation shows what.

    Returns
    -------
    text
        The sentences, a space between them.
    claims
        One for each, with its offsets in ``text`` and the citations of its side.
    """
    numbered = {item.number: item for item in evidence}
    minority = len(minority_of(conflict, evidence))
    sentences = []
    for index, side in enumerate(conflict.sides):
        lone = index >= len(conflict.sides) - minority
        sentences.append(_sentence(index, side, numbered, weighed=minority > 0, named=name_minority or not lone))
    claims, position = [], 0
    for sentence, side in zip(sentences, conflict.sides, strict=True):
        end = position + len(sentence)
        claims.append(Claim(sentence, position, end, "supported", side.citations))
        position = end + 1
    return " ".join(sentences), tuple(claims)


def minority_of(conflict: Conflict, evidence: Sequence[Evidence]) -> tuple[Side, ...]:
    """The sides with a single source, where one side has several, and more than all others together; otherwise none."""
    numbered = {item.number: item for item in evidence}
    counts = [sources(side, numbered) for side in conflict.sides]
    alone = all(count < SEVERAL for count in counts[1:])
    if not alone or counts[0] < SEVERAL or counts[0] <= sum(counts[1:]):
        return ()
    return conflict.sides[1:]


def sources(side: Side, evidence: Mapping[int, Evidence]) -> int:
    """How many documents a side cites."""
    return len({evidence[citation.number].passage.document_id for citation in side.citations})


def _sentence(index: int, side: Side, evidence: Mapping[int, Evidence], *, weighed: bool, named: bool) -> str:
    count = sources(side, evidence)
    listed = "; ".join(dict.fromkeys(_source(evidence[citation.number]) for citation in side.citations))
    if not weighed:
        opening = "The sources give different answers: " if index == 0 else ""
        return f"{opening}“{side.text}” according to {listed}."
    if index == 0:
        return f"Most sources, {count} of them, say “{side.text}”: {listed}."
    return f"One source says “{side.text}”: {listed}." if named else f"One source says otherwise: {listed}."


def _source(item: Evidence) -> str:
    """``Handbook › Leave (hr, 2021-04-01)``."""
    aside = ", ".join(part for part in (item.expert, item.passage.date) if part)
    return in_line(f"{item.passage.heading or f'source {item.number}'} ({aside})")
