"""One report on stored answers: quality by slice, the steps, and what other measures found, with intervals.

``per_question`` gives the same numbers in the form that ``evaluation.stored`` reads, one set for each slice, so that
``symposia compare`` puts stored answers side by side as it does stored runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.answer_records import Record
from evaluation.answer_scores import QUALITY, Scores, score
from evaluation.intervals import Interval, bootstrap_interval, wilson
from evaluation.report import Row, Table
from evaluation.steps import STEPS, measure

ALL = "all questions"
SHARE = "share"


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """What was measured.

    Parameters
    ----------
    name
        The run.
    tables
        Quality by slice first, then the steps, then whatever else could be measured.
    notes
        What a reader must know: lines that could not be used, questions that were skipped.
    """

    name: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"name": self.name, "tables": [table.to_dict() for table in self.tables], "notes": list(self.notes)}


def quality(records: Sequence[Record], *, seed: int = 0, resamples: int = 10_000) -> Table:
    """EM, F1, containment and the share answered, for each slice and over all questions."""
    rows = [
        Row(name, len(members), _means(score(members), seed, resamples)) for name, members in groups(records).items()
    ]
    notes = [
        f"Means over n questions, with 95 % bootstrap percentile intervals ({resamples:,} resamples).",
        "EM and F1 compare the whole text with a gold answer, contains looks for one in it: read contains for sentences.",
        "A question that the sources cannot answer is right where it is refused.",
    ]
    partial = sum(bool(np.isnan(value)) for value in score(records)["contains"])
    if partial:
        notes.append(
            f"{partial} of {len(records)} questions have no gold answer: EM, F1 and contains are over the others."
        )
    return Table("Answers", QUALITY, tuple(rows), notes=tuple(notes))


def steps(records: Sequence[Record]) -> Table:
    """Each step's share, over all questions and, where there are several slices, for each of them below it."""
    parted = groups(records)
    rows, absent = [], []
    for name, step in STEPS.items():
        found = {group: measure(step, members).values for group, members in parted.items()}
        if not any(found.values()):
            absent.append(name)
        for group, values in found.items():
            label = name if group == ALL or len(parted) == 1 else f"  {group}"
            if values:
                rows.append(Row(label, len(values), {SHARE: wilson(float(sum(values)), len(values))}))
    notes = ["Shares of the n questions that a step applies to, with 95 % intervals (Wilson)."]
    if not any(record.question.memory for record in records):
        notes.append('Trust is judged only where the question file gives "memory", which none of these questions has.')
    if absent:
        notes.append(f"Applies to no question here: {', '.join(absent)}.")
    return Table("Step by step", (SHARE,), tuple(rows), notes=tuple(notes))


def groups(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records of all questions and, where there are several slices, those of each."""
    slices: dict[str, list[Record]] = {}
    for record in records:
        slices.setdefault(record.question.slice, []).append(record)
    return slices if len(slices) <= 1 else {ALL: list(records), **slices}


def skipped(records: Sequence[Record]) -> list[str]:
    """A note on each kind of problem that kept questions from being asked."""
    problems: dict[str, list[str]] = {}
    for record in records:
        if record.answer is None:
            problems.setdefault(record.problem, []).append(record.question.id)
    return [
        f"{len(ids)} of {len(records)} questions could not be asked and score 0 ({', '.join(ids[:5])}"
        f"{', …' if len(ids) > 5 else ''}): {problem}"
        for problem, ids in problems.items()
    ]


def per_question(name: str, records: Sequence[Record]) -> Iterator[str]:
    """Lines for ``per_question.jsonl``; a slice has the measures that apply to each of its questions."""
    slices: dict[str, list[Record]] = {}
    for record in records:
        slices.setdefault(record.question.slice, []).append(record)
    for group, members in slices.items():
        scores = {measure_: values for measure_, values in score(members).items() if not np.isnan(values).any()}
        for place, record in enumerate(members):
            values = {measure_: float(column[place]) for measure_, column in scores.items()}
            line: Mapping[str, Any] = {"run": name, "set": group, "question": record.question.id, **values}
            yield json.dumps(line, ensure_ascii=False)


def _means(scores: Scores, seed: int, resamples: int) -> dict[str, Interval]:
    known = {measure_: values[~np.isnan(values)] for measure_, values in scores.items()}
    return {
        measure_: bootstrap_interval(values, seed=seed, resamples=resamples)
        for measure_, values in known.items()
        if values.size
    }
