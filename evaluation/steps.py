"""Where answers go wrong, step by step: was the evidence found, was it used, was refusing right.

Source: WebDetective (arXiv 2510.05137): knowledge sufficiency, utilisation given sufficiency, refusal given insufficiency.
Each step is a share of the questions that it applies to, so that one step's failures are not counted in the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from evaluation.answer_records import Record
from evaluation.answer_scores import right
from evaluation.trust import over_trust, under_trust

Step = Callable[[Record], bool | None]
"""True or false, or ``None`` where it does not apply to the record."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One step over the records that it applies to: their places among all, and what was found for each."""

    places: tuple[int, ...]
    values: tuple[bool, ...]


def evidence_found(record: Record) -> bool | None:
    """Whether the evidence holds what answers the question.

    A gold passage is among it; where the gold names none, a gold answer stands in it as whole words. ``None`` where the
    sources cannot answer, or the system chose not to search.
    """
    question = record.question
    if not question.answerable or (record.answer is not None and not record.retrieved):
        return None
    if question.passages:
        return any(keys & set(question.passages) for keys in record.keys)
    return record.gold_found


def evidence_used(record: Record) -> bool | None:
    """Given that the evidence was found: whether the answer is right."""
    return right(record) if evidence_found(record) is True and record.question.answers else None


def refused_rightly(record: Record) -> bool | None:
    """Given that sources were searched and the evidence was not found, or does not exist: whether it refused."""
    if not record.retrieved or evidence_found(record) is True:
        return None
    return record.refused


def refused_wrongly(record: Record) -> bool | None:
    """Given that the evidence was found: whether it refused all the same."""
    return record.refused if evidence_found(record) is True else None


STEPS: Mapping[str, Step] = {
    "evidence found": evidence_found,
    "used, where found": evidence_used,
    "refused, where not found": refused_rightly,
    "refused, though found": refused_wrongly,
    "under-trust of context": under_trust,
    "over-trust of context": over_trust,
}


def measure(step: Step, records: Sequence[Record]) -> Measured:
    """Apply a step to all records."""
    found = [(place, value) for place, value in enumerate(map(step, records)) if value is not None]
    return Measured(tuple(place for place, _ in found), tuple(value for _, value in found))
