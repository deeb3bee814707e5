"""Every system on the same passages and questions, built and then searched in processes of their own, one after the other."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.bench.scale.synthetic import CLUSTER
from app.bench.scale.systems import OURS, SYSTEMS
from app.bench.scale.worker import K, Task, arguments

CALLS = ("dense", "sparse", "hybrid", "document")
CALL_LIMIT = 60.0  # seconds that the questions of one kind may take

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Parameters
    ----------
    points
        Passages in our store, and in FAISS, which keeps up.
    rival_points
        The first so many of them in the systems that would take hours over all.
    dimension, seed
        Of the vectors.
    questions
        How many are asked of each kind.
    limit
        Seconds that one system may take to be built, and again to be searched.
    only
        Names of systems; empty for all.
    """

    points: int = 100_000
    rival_points: int = 20_000
    dimension: int = 384
    seed: int = 0
    questions: int = 200
    limit: float = 3600.0
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """What one system took and gave; ``problem`` says why anything is missing."""

    system: str
    points: int
    built: dict[str, Any]
    searched: dict[str, Any]
    recall: float | None
    problem: str = ""

    def cells(self) -> tuple[str, ...]:
        """A row of ``HEADER``."""
        built, searched, calls = self.built, self.searched, self.searched.get("calls", {})
        recall = "–" if self.recall is None else f"{self.recall:.3f}"
        times = [f"{calls[name]['p50']:.2f} / {calls[name]['p95']:.2f}" if name in calls else "–" for name in CALLS]
        return (
            self.system,
            f"{self.points:,}",
            f"{built['seconds']:.0f} / {built['cpu']:.0f}" if built else "–",
            f"{built['disk']:.0f}" if built else "–",
            f"{searched['memory']:.0f}" if searched else "–",
            f"{searched['opened']:.2f}" if searched else "–",
            *times,
            recall,
            self.problem,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


HEADER = (
    "system",
    "passages",
    "build s / CPU s",
    "disk MiB",
    "RAM MiB",
    "reopen s",
    "dense ms",
    "sparse ms",
    "hybrid ms",
    "one document ms",
    f"recall@{K}",
    "",
)
NOTES = (
    "Times of calls are p50 / p95 of single calls from Python, one after the other, files in the system's cache.",
    "RAM is resident memory added by opening and asking, in a new process, mapped files included.",
    f"Dense: the {K} nearest by cosine. Recall is against looking at every vector of what the system holds.",
    "Hybrid: for Symposia the 50 best by each search with both scores of each, for local mode 50 and 50 fused by rank.",
    "One document: all its passages, by its id.",
    "A dash: SimpleVectorStore has no sparse search, and FAISS flat neither that nor filters nor texts.",
)


def run(plan: Plan, folder: Path | None, report: Report) -> list[Measured]:
    """Measure every system; what is built lies below ``folder`` meanwhile, by default the system's for temporary files."""
    found = []
    for name in plan.only or SYSTEMS:
        with TemporaryDirectory(dir=folder, prefix="scale-") as place:
            found.append(_measure(plan, name, Path(place), report))
        report(" | ".join(found[-1].cells()))  # of a run that takes hours, something is seen before its end
    return found


def _measure(plan: Plan, name: str, folder: Path, report: Report) -> Measured:
    points = plan.points if name in OURS or name == "FAISS flat" else min(plan.points, plan.rival_points)
    clusters = max(1, plan.points // CLUSTER)
    task = Task(name, str(folder), points, clusters, plan.dimension, plan.seed, plan.questions, CALL_LIMIT)
    report(f"{name}: building {points:,}")
    built, problem = _work("build", task, plan.limit)
    searched: dict[str, Any] = {}
    if not problem:
        report(f"{name}: searching {points:,}")
        searched, problem = _work("search", task, plan.limit)
    recall = _recall(task, searched["calls"]["dense"]) if searched else None
    return Measured(name, points, built, _without_ids(searched), recall, problem)


def _work(phase: str, task: Task, limit: float) -> tuple[dict[str, Any], str]:
    """What the worker reports, or what kept it from it."""
    try:
        done = subprocess.run(arguments(phase, task), capture_output=True, text=True, timeout=limit, check=False)  # noqa: S603 (our own program)
    except subprocess.TimeoutExpired:
        return {}, f"{phase} took more than {limit:.0f} s"
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return {}, f"{phase} failed: {said[0]}"
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result, ""


def _recall(task: Task, dense: dict[str, Any]) -> float:
    """Share of the truly nearest that were found, over the questions that were asked."""
    passages = task.passages()
    vectors, _ = passages.questions(task.questions)
    found = dense["found"]
    nearest = passages.nearest(vectors[: len(found)], K)
    return sum(len(set(one) & set(other)) for one, other in zip(found, nearest, strict=True)) / (K * len(found))


def _without_ids(searched: dict[str, Any]) -> dict[str, Any]:
    calls = {
        name: {key: value for key, value in call.items() if key != "found"}
        for name, call in searched.get("calls", {}).items()
    }
    return {**searched, "calls": calls} if searched else {}
