"""What systems cost a question, as numbers and as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app.cli.output import Output

PASSAGES = 10
TARGET = 10.0
ENCODING = "encoding the question"
DENSE = "Symposia: route, dense search"
COMPLETE = "Symposia: route, dense and BM25, merge, texts"
OWN, OURS = "in memory, its default", "over our stores"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one system costs a question, in milliseconds.

    Parameters
    ----------
    n
        Questions.
    wall_p50, wall_p95
        Of the time that passes.
    cpu, cpu_low, cpu_high
        Median and quartiles of the processor time of all threads.
    times
        ``cpu`` over that of ``DENSE``.
    """

    name: str
    n: int
    wall_p50: float
    wall_p95: float
    cpu: float
    cpu_low: float
    cpu_high: float
    times: float = 1.0

    @classmethod
    def of(cls, name: str, wall: Sequence[float], cpu: Sequence[float]) -> Cost:
        """From seconds of each question."""
        p50, p95 = np.percentile(wall, [50, 95]) * 1000
        low, middle, high = np.percentile(cpu, [25, 50, 75]) * 1000
        return cls(name, len(wall), float(p50), float(p95), float(middle), float(low), float(high))


@dataclass(frozen=True, slots=True)
class Overhead:
    """Costs side by side.

    Parameters
    ----------
    experts, passages
        Size of the panel.
    asked
        Experts that the router asks for a question, on average.
    selections
        Texts that the embedding selector has encoded for a question, on average; their cost is in none of the numbers.
    """

    costs: tuple[Cost, ...]
    experts: int
    passages: int
    asked: float
    selections: float
    seed: int

    @property
    def ratio(self) -> float:
        """How many times our overhead is that of the cheaper of LlamaIndex's retrievers over indexes of its own."""
        return min(cost.times for cost in self.costs if cost.name.endswith(OWN))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            **asdict(self),
            "costs": [asdict(cost) for cost in self.costs],
            "ratio": self.ratio,
            "target": TARGET,
            "met": self.ratio >= TARGET,
        }


def show(found: Overhead, output: Output) -> None:
    """Write the table and what is to be said about it."""
    rows = [
        (
            cost.name,
            str(cost.n),
            _short(cost.wall_p50),
            _short(cost.wall_p95),
            f"{_short(cost.cpu)} [{_short(cost.cpu_low)}, {_short(cost.cpu_high)}]",
            "" if cost.name == ENCODING else f"{cost.times:.1f} ×",
        )
        for cost in found.costs
    ]
    title = f"{found.passages} passages, {found.experts} experts, {found.asked:.1f} of them asked; seed {found.seed}"
    output.table(("what", "n", "wall ms p50", "p95", "CPU ms, median [quartiles]", "CPU, ours = 1"), rows, title=title)
    for note in _notes(found):
        output.show(note)


def _short(milliseconds: float) -> str:
    return f"{milliseconds:.3g}" if milliseconds < 100 else f"{milliseconds:.0f}"


def _notes(found: Overhead) -> Iterator[str]:
    verdict = "met" if found.ratio >= TARGET else "MISSED"
    yield f"LlamaIndex's cheaper retriever, {OWN}, over ours: {found.ratio:.1f} ×; target ≥ {TARGET:g} ×: {verdict}."
    yield (
        "Every system but the first is given the question's vector, so encoding is in none of them. RouterRetriever's "
        f"embedding selector encodes {found.selections:.0f} texts more a question, which is not counted."
    )
    yield (
        f"Both sides find {PASSAGES} passages; {COMPLETE!r} does as the settings say. LlamaIndex: VectorStoreIndex with "
        "SimpleVectorStore; QueryFusionRetriever with num_queries=1 (its default of 4 asks a language model), "
        "use_async=False, mode simple; RouterRetriever with EmbeddingSingleSelector on the experts' descriptions."
    )
    yield f"{OURS!r} has the same search engine on both sides, so the difference is the framework's."
