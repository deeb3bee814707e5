"""What a million passages take up on disk and in memory: measured at a few sizes, fitted by a line, and carried on from there.

A line through three sizes says what each further passage costs, and its residuals say how far it can be trusted. Everything
beyond the measured sizes is arithmetic, and is shown as such.
"""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from app.bench import sizing_cell
from app.bench.sizing_cell import LOG, Cell, Quantized
from indexes.encoders.base import Encoder

POINTS = (5_000, 10_000, 20_000)
DIMENSIONS = (384, 768)
KINDS: tuple[Quantized, ...] = ("none", "int8")
MILLIONS = (1, 10, 100, 1000)
WORKERS = (1, 8, 64, 512)
NODE = 64 * 2**30  # bytes of memory
USABLE = 0.8  # of it, for what a search touches; the rest is for the system, writes and the making of indexes
REPLICAS = 2
RULE = 4 * 1.5  # bytes a number of a vector, by Qdrant's rule of thumb
SEARCHED: dict[str, tuple[str, ...]] = {  # parts on disk whose pages a search touches
    "none": ("vectors", "graph", "term index"),
    "int8": ("int8", "graph", "term index"),
}
ENCODED = 512  # passages that the encoder's pace is measured on
DAY = 86_400

Report = Callable[[str], None]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Line:
    """``fixed + each * points``, fitted by least squares.

    Parameters
    ----------
    fixed, each
        Bytes.
    off
        The largest distance of a measured number from the line, as a share of that number.
    """

    fixed: float
    each: float
    off: float

    @classmethod
    def through(cls, points: Sequence[int], values: Sequence[float]) -> Line:
        """The line through measured ``values`` at so many ``points``."""
        each, fixed = np.polyfit(points, values, 1)
        fitted = fixed + each * np.asarray(points)
        off = max(abs(f - v) / v if v else 0.0 for f, v in zip(fitted.tolist(), values, strict=True))
        return cls(float(fixed), float(each), off)


@dataclass(frozen=True, slots=True)
class Measured:
    """One slice: bytes on disk by part, bytes of memory, and CPU seconds of storing and indexing."""

    points: int
    dimension: int
    quantization: Quantized
    disk: dict[str, int]
    own: int
    mapped: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Sizing:
    """Everything measured, and what follows from it.

    Parameters
    ----------
    slices
        As measured.
    encoder
        Its name; empty where none was timed.
    pace
        Passages that it encodes in a CPU second, on one core; 0 where none was timed.
    """

    slices: tuple[Measured, ...]
    encoder: str
    pace: float
    seed: int

    def line(self, dimension: int, kind: Quantized, part: str) -> Line:
        """What a further passage adds to one part of the disk."""
        chosen = self._chosen(dimension, kind)
        return Line.through([each.points for each in chosen], [each.disk[part] for each in chosen])

    def heap(self, dimension: int) -> Line:
        """What a further passage adds to the memory that the process has for itself: ids and the index of documents.

        Of whole vectors: those of one byte a number are held there, too, and are counted as a part.
        """
        chosen = self._chosen(dimension, "none")
        return Line.through([each.points for each in chosen], [each.own for each in chosen])

    def disk_each(self, dimension: int, kind: Quantized) -> float:
        """Bytes a passage on disk, without the log, whose size does not grow."""
        return sum(self.line(dimension, kind, part).each for part in self.parts if part != LOG)

    def searched_each(self, dimension: int, kind: Quantized) -> float:
        """Bytes a passage that should be in memory: what a search touches, and what the process holds anyway."""
        return sum(self.line(dimension, kind, part).each for part in SEARCHED[kind]) + self.heap(dimension).each

    def index_cpu(self, dimension: int, kind: Quantized) -> float:
        """CPU seconds a thousand passages to store and index them, at the largest size."""
        largest = self._chosen(dimension, kind)[-1]
        return largest.cpu / largest.points * 1000

    @property
    def parts(self) -> list[str]:
        """Names of the parts on disk."""
        return list(self.slices[0].disk)

    @property
    def kinds(self) -> list[tuple[int, Quantized]]:
        """Dimension and quantization of what was measured."""
        return sorted(
            {(each.dimension, each.quantization) for each in self.slices}, key=lambda k: (k[0], k[1] != "none")
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        lines = {
            f"{dimension} {kind}": {part: asdict(self.line(dimension, kind, part)) for part in self.parts}
            for dimension, kind in self.kinds
        }
        return {**asdict(self), "slices": [asdict(each) for each in self.slices], "lines": lines}

    def _chosen(self, dimension: int, kind: Quantized) -> list[Measured]:
        chosen = [each for each in self.slices if (each.dimension, each.quantization) == (dimension, kind)]
        return sorted(chosen, key=lambda each: each.points)


def nodes(searched: float) -> int:
    """How many nodes hold so many bytes in memory, ``REPLICAS`` times; never fewer than there are copies."""
    return max(REPLICAS, math.ceil(searched * REPLICAS / (NODE * USABLE)))


def rule(points: float, dimension: int) -> float:
    """Bytes of memory by the rule of thumb of Qdrant's documentation: numbers × 4 bytes × 1.5."""
    return points * dimension * RULE


def run(
    *,
    points: Sequence[int] = POINTS,
    dimensions: Sequence[int] = DIMENSIONS,
    questions: int = 200,
    seed: int = 0,
    encoder: Encoder | None = None,
    report: Report | None = None,
) -> Sizing:
    """Build each slice in a process of its own, open it in another, and time the encoder where one is given."""
    with tempfile.TemporaryDirectory(prefix="symposia-sizing-") as folder:
        slices = _slices(Path(folder), points, dimensions, questions, seed, report)
    name = "" if encoder is None else f"{encoder.fingerprint.model}, {encoder.fingerprint.precision}"
    return Sizing(tuple(slices), name, 0.0 if encoder is None else pace(encoder), seed)


def pace(encoder: Encoder) -> float:
    """Passages a CPU second."""
    sample = sizing_cell.texts(ENCODED)
    encoder.encode_passages(sample[:8])  # loads it
    started = time.process_time()
    encoder.encode_passages(sample)
    return len(sample) / (time.process_time() - started)


def _slices(
    folder: Path, points: Sequence[int], dimensions: Sequence[int], questions: int, seed: int, report: Report | None
) -> list[Measured]:
    texts = folder / "texts.json"
    texts.write_text(json.dumps(sizing_cell.texts(sizing_cell.SAMPLE)), encoding="utf-8")
    slices = []
    cells = [(dimension, kind, count) for dimension in dimensions for kind in KINDS for count in sorted(points)]
    for number, (dimension, kind, count) in enumerate(cells):
        if report is not None:
            report(f"slice {number + 1} of {len(cells)}: {count} passages, {dimension} dimensions, quantization {kind}")
        cell = Cell(folder / f"slice-{number}", texts, count, dimension, kind, questions, seed)
        slices.append(_measured(cell))
    return slices


def _measured(cell: Cell) -> Measured:
    try:
        built, opened = _alone(sizing_cell.build, cell), _alone(sizing_cell.ask, cell)
    finally:
        shutil.rmtree(cell.folder, ignore_errors=True)
    return Measured(cell.points, cell.dimension, cell.quantization, built.disk, opened.own, opened.mapped, built.cpu)


def _alone(function: Callable[[Cell], Result], cell: Cell) -> Result:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(function, cell).result()
