"""Measures of routing: was the right expert found, was it among those asked, how many were asked, at what confidence.

Every question counts. The null expert ("no retrieval needed") is an expert like others here: name it in ``right``, in
``asked`` and in ``probabilities`` where a system may choose it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import Reliability, reliability
from evaluation.files import json_lines, malformed, write_lines
from evaluation.intervals import Interval, bootstrap_interval
from evaluation.report import Row
from indexes.errors import InputError

FILE = "routing.jsonl"
MEASURES = ("accuracy", "coverage", "asked", "ECE", "Brier")


@dataclass(frozen=True, slots=True)
class Routed:
    """How one question was routed, and how it should have been.

    Parameters
    ----------
    question
        Its id.
    right
        The experts that are right for it: at least one.
    asked
        The experts that were asked, most probable first.
    probabilities
        Expert to probability; empty for a router that gives none.

    Raises
    ------
    InputError
        Where no expert is right, or a probability is not between 0 and 1.
    """

    question: str
    right: frozenset[str]
    asked: tuple[str, ...]
    probabilities: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.right:
            raise InputError(
                f"Question {self.question} has no right expert.",
                "Name one; for a question that needs no retrieval, the null expert.",
            )
        for expert, probability in self.probabilities.items():
            if not 0 <= probability <= 1:
                raise InputError(
                    f"Question {self.question}: the probability of {expert} is {probability}.",
                    "Probabilities must lie between 0 and 1.",
                )

    @property
    def first(self) -> str:
        """The most probable expert, ties by name; without probabilities the first that was asked; else empty."""
        if self.probabilities:
            return min(self.probabilities, key=lambda expert: (-self.probabilities[expert], expert))
        return self.asked[0] if self.asked else ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "question": self.question,
            "right": sorted(self.right),
            "asked": list(self.asked),
            "probabilities": dict(self.probabilities),
        }


@dataclass(frozen=True, slots=True)
class RoutingSummary:
    """What one router did on a set of questions.

    Parameters
    ----------
    n
        Number of questions.
    accuracy
        Share of questions whose most probable expert is right.
    coverage
        Share of questions with a right expert among those asked.
    asked
        Mean number of experts asked.
    reliability
        The probability of the most probable expert against whether it was right (Guo et al., "On Calibration of Modern
        Neural Networks", ICML 2017, section 2); ``None`` where some question has no probabilities.
    """

    n: int
    accuracy: Interval
    coverage: Interval
    asked: Interval
    reliability: Reliability | None = None

    @property
    def values(self) -> dict[str, Interval]:
        """Name, as in ``MEASURES``, to number and interval."""
        known = {"accuracy": self.accuracy, "coverage": self.coverage, "asked": self.asked}
        if self.reliability is None:
            return known
        return {**known, "ECE": self.reliability.ece, "Brier": self.reliability.brier}

    def row(self, name: str) -> Row:
        """A row for a ``Table`` whose measures are ``MEASURES``."""
        return Row(name, self.n, self.values)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        values = {name: value.to_dict() for name, value in self.values.items()}
        bins = [each.to_dict() for each in self.reliability.bins] if self.reliability else []
        return {"n": self.n, "values": values, "bins": bins}


def routing_summary(records: Sequence[Routed], *, resamples: int = 10_000, seed: int = 0) -> RoutingSummary:
    """Routing accuracy, coverage, mean number of experts asked, and calibration, each with a 95 % interval.

    Raises
    ------
    InputError
        Where there is no record.
    """
    if not records:
        raise InputError("There is no routed question.", "Route at least one question.")

    def interval(values: Sequence[float] | NDArray[np.float64], *, bounded: bool = True) -> Interval:
        return bootstrap_interval(values, resamples=resamples, seed=seed, bounded=bounded)

    hits = hit_vector(records)
    return RoutingSummary(
        len(records),
        interval(hits),
        interval(coverage_vector(records)),
        interval([float(len(record.asked)) for record in records], bounded=False),
        _reliability(records, hits, seed),
    )


def hit_vector(records: Sequence[Routed]) -> NDArray[np.float64]:
    """1.0 for each question whose most probable expert is right, else 0.0; shape ``(n,)``, for paired tests."""
    return np.array([float(record.first in record.right) for record in records])


def coverage_vector(records: Sequence[Routed]) -> NDArray[np.float64]:
    """1.0 for each question with a right expert among those asked, else 0.0; shape ``(n,)``."""
    return np.array([float(bool(record.right & set(record.asked))) for record in records])


def write_routing(path: Path, runs: Mapping[str, Sequence[Routed]]) -> None:
    """Write the records of each run, one JSON object a line."""
    write_lines(
        path,
        (
            json.dumps({"run": run, **record.to_dict()}, ensure_ascii=False)
            for run, records in runs.items()
            for record in records
        ),
    )


def read_routing(path: Path) -> dict[str, list[Routed]]:
    """The records of each run in a file as ``write_routing`` writes it; ``run`` may be absent: the empty name.

    Raises
    ------
    InputError
        For a malformed line, with its number.
    """
    runs: dict[str, list[Routed]] = {}
    for number, record in json_lines(path):
        runs.setdefault(str(record.get("run", "")), []).append(_routed(record, path, number))
    return runs


def _routed(record: Mapping[str, Any], path: Path, number: int) -> Routed:
    fix = 'Each line must have "question", "right" and "asked" as lists of names, and may have "probabilities".'
    right, asked, probabilities = (record.get(key) for key in ("right", "asked", "probabilities"))
    if not _names(right) or not _names(asked) or not isinstance(record.get("question"), str):
        raise malformed(path, number, "no routed question", fix)
    if probabilities is not None and not _numbers(probabilities):
        raise malformed(path, number, f"the probabilities are {probabilities!r}", fix)
    try:
        return Routed(record["question"], frozenset(right or ()), tuple(asked or ()), probabilities or {})
    except InputError as error:
        raise malformed(path, number, error.problem.rstrip("."), error.fix) from error


def _names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _numbers(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(number, int | float) and not isinstance(number, bool) for number in value.values()
    )


def _reliability(records: Sequence[Routed], hits: NDArray[np.float64], seed: int) -> Reliability | None:
    if not all(record.probabilities for record in records):
        return None
    return reliability([record.probabilities[record.first] for record in records], hits, seed=seed)
