"""Runs that were evaluated before: read back from a folder that ``evaluate_runs`` wrote, or scored from a TREC file.

A folder's ``per_question.jsonl`` may hold several sets: its lines then have a ``set``, and ``data`` in the manifest is a
list with one entry a set. A row of ``metrics.json`` may have a ``cost``, a number for each kind of cost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.beir import BeirSet, read_qrels
from evaluation.files import json_lines, malformed
from evaluation.metrics import DEFAULT_MEASURES, score_run
from evaluation.runs import Run
from indexes.errors import InputError

_NOT_MEASURES = ("run", "question", "results", "set")
_FOLDER_FIX = "Name a folder that `symposia evaluate … --out FOLDER` wrote, or a TREC run file with --qrels."


@dataclass(frozen=True, slots=True)
class Judged:
    """Which questions and judgements scores rest on: two are the same where their fingerprints are."""

    name: str
    split: str
    sha256: str
    n: int

    @property
    def label(self) -> str:
        """``scifact, test split``."""
        return f"{self.name}, {self.split} split" if self.split else self.name

    @classmethod
    def of(cls, beir_set: BeirSet) -> Judged:
        """That of a set which was read."""
        return cls(beir_set.name, beir_set.split, beir_set.fingerprint, len(beir_set.qrels))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"name": self.name, "split": self.split, "sha256": self.sha256, "n": self.n}


@dataclass(frozen=True, slots=True)
class StoredRun:
    """One system's scores on one set.

    Parameters
    ----------
    name
        The system.
    judged
        What it was judged by.
    questions
        Ids of all judged questions.
    values
        Measure name to one number for each question, in that order.
    cost
        Kind of cost to its mean for a question.
    source
        The folder or file that it comes from.
    """

    name: str
    judged: Judged
    questions: tuple[str, ...]
    values: Mapping[str, NDArray[np.float64]]
    source: Path
    cost: Mapping[str, float] = field(default_factory=dict)

    def in_order(self, questions: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """The values in the order of ``questions``, which are the same in any order."""
        place = {question: position for position, question in enumerate(self.questions)}
        order = [place[question] for question in questions]
        return {measure: values[order] for measure, values in self.values.items()}


def read_folder(folder: Path, name: str = "") -> list[StoredRun]:
    """Every run of every set in an evaluation's folder.

    Parameters
    ----------
    name
        Stands before the runs' names, or in place of it where the folder has but one run.

    Raises
    ------
    InputError
        Where a file is missing or malformed.
    """
    judged = _judged(folder)
    scores: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for number, record in json_lines(_file(folder, "per_question.jsonl")):
        run, set_name, question, values = _scores(record, folder / "per_question.jsonl", number)
        scores.setdefault((run, set_name), {})[question] = values
    costs = _costs(folder)
    alone = len({run for run, _ in scores}) == 1
    return [
        StoredRun(
            _named(run, name, alone),
            _set_of(set_name, judged, folder),
            tuple(found),
            _columns(found, folder, run),
            folder,
            costs.get(run, {}),
        )
        for (run, set_name), found in scores.items()
    ]


def read_judgements(path: Path, split: str = "test") -> tuple[Judged, Mapping[str, Mapping[str, int]]]:
    """Judgements of a BEIR folder, of a file in one, or of a qrels file that stands alone.

    Raises
    ------
    InputError
        Where they cannot be read.
    """
    if path.is_dir():
        beir_set = BeirSet.read(path, split)
        return Judged.of(beir_set), beir_set.qrels
    if path.parent.name == "qrels" and (path.parent.parent / "queries.jsonl").is_file():
        return read_judgements(path.parent.parent, path.stem)
    qrels = read_qrels(path)
    text = json.dumps({q: dict(sorted(docs.items())) for q, docs in sorted(qrels.items())})
    return Judged(path.stem, "", "qrels:" + hashlib.sha256(text.encode()).hexdigest(), len(qrels)), qrels


def score_file(
    file: Path,
    judged: Judged,
    qrels: Mapping[str, Mapping[str, int]],
    name: str = "",
    measures: Sequence[str] = DEFAULT_MEASURES,
) -> StoredRun:
    """Score a TREC run file.

    Raises
    ------
    InputError
        Where it cannot be read, or has no result for any judged question.
    """
    run = Run.read(file, name)
    if run.results and not any(question in qrels for question in run.results):
        raise InputError(
            f"{file} has no results for any of the {len(qrels)} questions judged in {judged.label}; its first question "
            f"is {next(iter(run.results))!r}.",
            "Name the judgements that it was made for with --qrels.",
        )
    scores = score_run(run, qrels, measures)
    return StoredRun(run.name, judged, scores.questions, scores.values, file)


def _named(run: str, name: str, alone: bool) -> str:
    if not name:
        return run
    return name if alone else f"{name} {run}"


def _file(folder: Path, name: str) -> Path:
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", _FOLDER_FIX)
    if not (folder / name).is_file():
        raise InputError(f"{folder} has no {name}.", _FOLDER_FIX)
    return folder / name


def _json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"Cannot read {path}: {error}.", "Evaluate again to write it anew.") from error
    if not isinstance(record, dict):
        raise InputError(f"{path} is no JSON object.", "Evaluate again to write it anew.")
    return record


def _judged(folder: Path) -> dict[str, Judged]:
    """By name of the set."""
    path = _file(folder, "manifest.json")
    data = _json(path).get("data")
    entries = data if isinstance(data, list) else [data]
    try:
        found = [_entry(dict(entry)) for entry in entries if entry is not None]
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(
            f"{path} does not say which questions were judged (data: name, split, sha256, n).", _FOLDER_FIX
        ) from error
    if not found:
        raise InputError(f"{path} does not say which questions were judged.", _FOLDER_FIX)
    return {judged.name: judged for judged in found}


def _entry(data: Mapping[str, Any]) -> Judged:
    return Judged(str(data["name"]), str(data["split"]), str(data["sha256"]), int(data["n"]))


def _set_of(name: str, judged: Mapping[str, Judged], folder: Path) -> Judged:
    if name in judged:
        return judged[name]
    if not name and len(judged) == 1:
        return next(iter(judged.values()))
    raise InputError(
        f"{folder}: per_question.jsonl names the set {name!r}, the manifest has {', '.join(judged)}.",
        "Evaluate again to write both anew.",
    )


def _scores(record: Mapping[str, Any], path: Path, number: int) -> tuple[str, str, str, dict[str, float]]:
    run, question = record.get("run"), record.get("question")
    values = {key: value for key, value in record.items() if key not in _NOT_MEASURES}
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values.values())
    if not isinstance(run, str) or not isinstance(question, str) or not values or not numbers:
        raise malformed(path, number, "no scores of a question", 'Each line must have "run", "question" and measures.')
    return run, str(record.get("set", "")), question, {key: float(value) for key, value in values.items()}


def _columns(scores: Mapping[str, Mapping[str, float]], folder: Path, run: str) -> dict[str, NDArray[np.float64]]:
    measures = list(next(iter(scores.values())))
    if any(set(values) != set(measures) for values in scores.values()):
        raise InputError(
            f"{folder}: the questions of run {run} have different measures.", "Evaluate again to write them anew."
        )
    return {measure: np.array([values[measure] for values in scores.values()]) for measure in measures}


def _costs(folder: Path) -> dict[str, dict[str, float]]:
    path = folder / "metrics.json"
    if not path.is_file():
        return {}
    found: dict[str, dict[str, float]] = {}
    for row in _json(path).get("rows", []):
        cost = row.get("cost") or {}
        found[str(row.get("name"))] = {str(kind): float(value) for kind, value in cost.items() if value is not None}
    return found
