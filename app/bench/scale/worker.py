"""One system, built or searched, in a process of its own: what it takes up is then nobody else's."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from app.bench.scale.synthetic import PER_DOCUMENT, Synthetic
from app.bench.scale.systems import SYSTEMS, System
from app.bench.speed import resident

K = 10


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is to do.

    Parameters
    ----------
    system
        A key of ``SYSTEMS``.
    folder
        Where it keeps what it builds.
    points, clusters, dimension, seed
        Of the passages.
    questions
        How many are asked.
    limit
        Seconds that the questions of one kind may take; fewer are asked then.
    """

    system: str
    folder: str
    points: int
    clusters: int
    dimension: int
    seed: int
    questions: int
    limit: float

    def passages(self) -> Synthetic:
        """What is stored."""
        return Synthetic(self.points, self.clusters, self.dimension, self.seed)

    def open(self) -> System:
        """The system, with nothing loaded."""
        return SYSTEMS[self.system](Path(self.folder), self.dimension)


def build(task: Task) -> dict[str, Any]:
    """Seconds and CPU seconds to store everything ready to be searched, and the bytes on disk."""
    with _timed() as took:
        task.open().build(task.passages().batches())
    size = sum(path.stat().st_blocks * 512 for path in Path(task.folder).rglob("*") if path.is_file())
    return {"seconds": took["wall"], "cpu": took["cpu"], "disk": size / 2**20}


def search(task: Task) -> dict[str, Any]:
    """Seconds to open, MiB of memory added by opening and asking, and of each call p50 and p95 in ms, and what it found."""
    passages = task.passages()
    vectors, texts = passages.questions(task.questions)
    system = task.open()
    _imported(task.system)
    before = resident()
    started = time.perf_counter()
    system.open()
    opened = time.perf_counter() - started
    calls = system.calls()
    documents = [f"document-{n * 7919 % task.points // PER_DOCUMENT}" for n in range(task.questions)]
    asked = list(zip(vectors, texts, documents, strict=True))
    timed: dict[str, Any] = {}
    for name, call in calls.items():
        timed[name] = _ask(call, asked, task.limit)
    added = resident() - before
    system.close()
    return {"opened": opened, "memory": added, "calls": timed}


def _ask(call: Callable[..., Sequence[str]], asked: Sequence[tuple[Any, ...]], limit: float) -> dict[str, Any]:
    milliseconds: list[float] = []
    found: list[list[str]] = []
    until = time.perf_counter() + limit
    for arguments in asked:
        started = time.perf_counter()
        ids = call(*arguments, K)
        milliseconds.append(1000 * (time.perf_counter() - started))
        found.append(list(ids)[:K])
        if time.perf_counter() > until:
            break
    p50, p95 = np.percentile(milliseconds, [50, 95]).tolist()
    return {"n": len(milliseconds), "p50": p50, "p95": p95, "found": found}


def _imported(system: str) -> None:
    """Import what the system needs, so that memory counts what it holds and not its code."""
    needed = {
        "FAISS flat": "faiss",
        "qdrant-client local mode": "qdrant_client",
        "LlamaIndex default": "llama_index.core.vector_stores",
    }
    if system in needed:
        import_module(needed[system])


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    took: dict[str, float] = {}
    wall, cpu = time.perf_counter(), _cpu()
    yield took
    took.update(wall=time.perf_counter() - wall, cpu=_cpu() - cpu)


def _cpu() -> float:
    """CPU seconds of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _main(phase: str, task: str) -> None:
    work = {"build": build, "search": search}[phase]
    sys.stdout.write(json.dumps(work(Task(**json.loads(task)))) + "\n")


def arguments(phase: str, task: Task) -> list[str]:
    """The command that does one phase of a task."""
    return [sys.executable, "-m", __name__, phase, json.dumps(asdict(task))]


if __name__ == "__main__":
    _main(*sys.argv[1:])
