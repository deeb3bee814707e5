"""Which passages are worth asking for an answer of their own, and where asking is not needed: by words alone, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generators.citations.support import names
from generators.conflicts.kinds import fits, wanted_quantities
from generators.conflicts.negation import negates
from generators.conflicts.per_passage import held, where
from generators.conflicts.quantities import Comparison, Quantity, compare, quantities
from generators.conflicts.thresholds import ConflictThresholds
from generators.numbers import held_numbers, numbers
from generators.sentences import sentences
from indexes.terms import terms
from retrievers.evidence import Evidence

_IDENTIFIER = re.compile(r"\w+(?:[._]\w+)+")


def worth_asking(question: str, evidence: Sequence[Evidence], thresholds: ConflictThresholds) -> list[Evidence]:
    """The passages that may answer: relevant, about the question's subject, with something of the sort that it wants.

    Of equal texts the first.
    """
    best = max((item.probability for item in evidence), default=0.0)
    least = max(thresholds.relevance, thresholds.relative * best)
    kept: dict[str, Evidence] = {}
    for item in evidence:
        if (
            item.probability >= least
            and _about(question, item, thresholds.subject)
            and fits(item.passage.text, question)
        ):
            kept.setdefault(" ".join(item.passage.text.split()), item)
    named = _best_named(question, list(kept.values()))
    closeness = {item.number: _closeness(question, item) for item in named}
    least = thresholds.close * max(closeness.values(), default=0.0)
    return [item for item in named if not item.passage.heading or closeness[item.number] >= least]


def settled(question: str, evidence: Sequence[Evidence], answer: str = "") -> bool:
    """Whether words alone show that the passages agree.

    They do where all say the ``answer`` that was written from them, or where the question wants a quantity, and the
    sentence of each that is nearest to it has the same quantities of that sort, and some.
    """
    if answer and all(says(answer, question, item) for item in evidence):
        return True
    if wanted_quantities("", question) is None:
        return False
    found = [_given(question, item.passage.text) for item in evidence]
    return all(_agree(one, other) for one in found for other in found)


def says(answer: str, question: str, item: Evidence) -> bool:
    """Whether a passage holds every word of ``answer``, and denies nothing that it affirms."""
    start, end = where(answer, question, item.passage.text)
    sentence = item.passage.text[start:end]
    return held(answer, question, item.passage) >= 1 and negates(answer) == negates(sentence)


def _given(question: str, text: str) -> list[Quantity]:
    """The quantities of the sort that the question wants in the sentence nearest to it, without the question's own."""
    start, end = where(question, question, text)
    asked = quantities(question)
    given = wanted_quantities(text[start:end], question) or ()
    return [each for each in given if not any(compare(each, other) is Comparison.SAME for other in asked)]


def _agree(one: Sequence[Quantity], other: Sequence[Quantity]) -> bool:
    """Whether each of them has its equal among the others, and there are some."""
    same = [[compare(a, b) is Comparison.SAME for b in other] for a in one]
    return bool(same) and all(map(any, same)) and all(map(any, zip(*same, strict=True)))


def _about(question: str, item: Evidence, least: float) -> bool:
    """Whether a passage is about what the question is about: it has its numbers, its identifiers, and its names."""
    if not item.passage.heading:
        return True
    text = f"{item.passage.searchable}\n{item.passage.date}"
    if numbers(question) - held_numbers(text) or any(name not in text for name in _IDENTIFIER.findall(question)):
        return False
    wanted, there = names(question) or terms(question), terms(text)
    return not wanted or len(wanted & there) / len(wanted) >= least


def _best_named(question: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Without the passages whose heading names less of what the question names than another's does.

    "Uganda › Geography" may mention Tanzania, but beside "Tanzania › Geography" it speaks of another country.
    """
    wanted = names(question)
    shared = {item.number: len(wanted & terms(item.passage.heading)) for item in evidence}
    most = max(shared.values(), default=0)
    return [item for item in evidence if not item.passage.heading or shared[item.number] == most]


def _closeness(question: str, item: Evidence) -> float:
    """Largest share of the question's words that one sentence has, with the heading."""
    asked, heading = terms(question), terms(item.passage.heading)
    spans = sentences(item.passage.text)
    shared = (len(asked & (heading | terms(item.passage.text[start:end]))) for start, end in spans)
    return max(shared, default=0) / len(asked) if asked else 0.0
