"""How far the signals of stored answers tell what should be answered: risk, coverage and AUROC.

Twice: against whether the sources can answer the question at all, and, among the questions that were answered, against
whether the answer is right. See ``evaluation.abstention``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluation.abstention import AURC, COVERED, REFUSED, abstention_table
from evaluation.answer_records import Record
from evaluation.answer_scores import right
from evaluation.report import Table

SIGNALS = ("confidence", "relevance", "supported")
"""Signals that are higher for surer, those of most interest first."""


def confidence_tables(records: Sequence[Record], *, seed: int = 0) -> list[Table]:
    """A table for each of the two that the records can settle: those with cases of both kinds.

    Questions that came with their context are kept apart: nothing was searched for them, so their relevance is given.
    """
    searched = [record for record in records if record.retrieved]
    found = []
    for kind, members in (
        ("", [record for record in searched if not record.question.context]),
        (", contexts given", [record for record in searched if record.question.context]),
    ):
        found += _answerable(members, kind, seed) + _right(members, kind, seed)
    return found


def judged_signals(records: Sequence[Record]) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.float64]]]:
    """Whether each answer that was given and can be judged is right ``[n]``, and its signals, those that all of them have.

    Questions that came with their context are left out: nothing was searched for them.
    """
    answered = [
        record
        for record in records
        if record.retrieved
        and record.answered
        and not record.question.context
        and (record.question.answers or not record.question.answerable)
    ]
    return np.array([right(record) for record in answered], dtype=bool), _scores(answered) if answered else {}


def _answerable(records: Sequence[Record], kind: str, seed: int) -> list[Table]:
    labels = [record.question.answerable for record in records]
    scores = _scores(records)
    if not _both(labels) or not scores:
        return []
    return [abstention_table(f"Can the sources answer?{kind}", labels, scores, seed=seed)]


def _right(records: Sequence[Record], kind: str, seed: int) -> list[Table]:
    answered = [
        record for record in records if record.answered and (record.question.answers or not record.question.answerable)
    ]
    labels, scores = [right(record) for record in answered], _scores(answered)
    if not _both(labels) or not scores:
        return []
    table = abstention_table(f"Is the answer that was given right?{kind}", labels, scores, seed=seed)
    return [replace(table, notes=(_right_note(labels), *table.notes[-1:]))]


def _scores(records: Sequence[Record]) -> dict[str, np.ndarray]:
    """Those signals that every answer has; one that was refused before they were measured is the least sure."""
    found = {
        name: [record.signals.get(name, 0.0 if record.refused else np.nan) for record in records] for name in SIGNALS
    }
    measured = {name for name in SIGNALS if any(name in record.signals for record in records)}
    return {name: np.array(values) for name, values in found.items() if name in measured and np.isfinite(values).all()}


def _both(labels: Sequence[bool]) -> bool:
    return any(labels) and not all(labels)


def _right_note(labels: Sequence[bool]) -> str:
    return (
        f"{sum(labels)} of {len(labels)} answers are right. {AURC} is the mean share of wrong ones over all coverages: lower is"
        f" better. {REFUSED!r}: share of the wrong answers that a threshold would refuse with at most 5 % of the right ones;"
        f" {COVERED!r}: share that can be given with at most 10 % wrong among them; both thresholds seen afterwards."
    )
