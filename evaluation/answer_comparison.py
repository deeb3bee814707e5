"""Stored answers of several runs, step by step, paired: each step over the questions that it applies to in every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.answer_records import FILE, Record, read_records
from evaluation.comparison import compare
from evaluation.report import Table
from evaluation.steps import STEPS, Step, measure
from evaluation.stored import StoredRun


def compare_steps(
    runs: Mapping[str, Sequence[Record]], *, baseline: str = "", seed: int = 0, resamples: int = 10_000
) -> list[Table]:
    """One table for each step that applies to a question in all runs, against the baseline.

    A step such as "used, where found" applies to other questions in each run, so only those are compared to which it
    applies in all.

    Parameters
    ----------
    runs
        Name of each run to its records.
    baseline
        Whom the others are compared with; by default the first.
    """
    by_id = {name: {record.question.id: record for record in records} for name, records in runs.items()}
    tables = []
    for name, step in STEPS.items():
        values = {run: _values(step, records) for run, records in by_id.items()}
        common = sorted(set.intersection(*(set(found) for found in values.values())))
        if common:
            scores = {run: {name: np.array([found[id_] for id_ in common])} for run, found in values.items()}
            tables.append(compare(name, scores, baseline=baseline, seed=seed, resamples=resamples))
    return tables


def compare_stored(runs: Sequence[StoredRun], *, baseline: str = "", seed: int = 0) -> list[Table]:
    """``compare_steps`` over those stored runs that have answers beside them; nothing where fewer than two have.

    Raises
    ------
    InputError
        Where the answers cannot be read.
    """
    folders = {run.name: run.source for run in runs if (run.source / FILE).is_file()}
    if len(folders) < 2:
        return []
    records = {name: read_records(folder / FILE) for name, folder in folders.items()}
    judged = {name: {q for run in runs if run.name == name for q in run.questions} for name in folders}
    asked = {name: [r for r in found if r.question.id in judged[name]] for name, found in records.items()}
    return compare_steps(asked, baseline=baseline if baseline in folders else "", seed=seed)


def _values(step: Step, records: Mapping[str, Record]) -> dict[str, float]:
    ids, found = list(records), measure(step, list(records.values()))
    return {ids[place]: float(value) for place, value in zip(found.places, found.values, strict=True)}
