"""Fitting the weights of the confidence that every panel starts with, and what each signal is worth on sets that it did not see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.bench.abstention.measure import Measured, measure, search
from app.bench.abstention.questions import DEVELOPMENT, development, require
from app.bench.abstention.run import language_model
from app.bench.retrieval.indexing import index
from app.wiring import make_panel
from evaluation.abstention import auroc
from generators.verdicts.confidence import CONFIDENCE, Confidence, fit

if TYPE_CHECKING:
    from app.settings import Settings

PER_PART = 100
HALF = {"all": 2.0, "without the slice": 1.0, "without the passages": 1.0}  # as much answerable as not
CHOICES: Mapping[str, tuple[str, ...]] = {
    "relevance": ("relevance",),
    "+ coverage": ("relevance", "coverage"),
    "+ asking the model": ("relevance", "sufficient"),
    "+ how sure it is": ("relevance", "sure"),
    "+ contrast with memory": ("relevance", "contrast"),
    "+ support": ("relevance", "support"),
    "all": ("relevance", "coverage", "sufficient", "sure", "contrast", "support"),
}
OF_MODEL = frozenset({"sufficient", "sure", "least sure", "contrast", "support", "refused"})

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Fitted:
    """Weights, and how well choices of signals separate sets that they were not fitted on.

    Parameters
    ----------
    confidence
        Fitted with the signals that serve.
    held_out
        Name of the choice to AUROC by kind of unanswerable question, a mean over the sets, each left out once.
    questions
        How many.
    """

    confidence: Confidence
    held_out: Mapping[str, Mapping[str, float]]
    questions: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        weights = {name: {"by": each.by, "typical": each.typical} for name, each in self.confidence.weights.items()}
        return {
            "bias": self.confidence.bias,
            "weights": weights,
            "held_out": {name: dict(found) for name, found in self.held_out.items()},
            "questions": self.questions,
        }


def fit_defaults(
    settings: Settings, data: Path, *, per_part: int = PER_PART, model: bool = True, seed: int = 0, report: Report
) -> Fitted:
    """Fit on development questions, whole, without their slice, and without their relevant passages.

    A whole question counts only where a relevant passage was found: what retrieval misses, no answer can rest on.
    """
    home = settings.home / "benchmarks" / "abstention"
    folders = require(data, tuple(DEVELOPMENT))
    panel = make_panel(settings, home / "development")
    try:
        for folder in folders:
            index(panel, settings, folder, report)
        searched = search(panel, development(data, per_part, seed))
    finally:
        panel.close()
    speaker = language_model(settings) if model else None
    rows = measure(speaker, searched, home / "measured.jsonl", lambda done, total: report("measuring", done, total))
    return fitted([row for row in rows if row.found or not row.question.answerable], model=model)


def fitted(rows: Sequence[Measured], *, model: bool = True) -> Fitted:
    """Fit the signals that serve, and compare the choices."""
    choices = {name: names for name, names in CHOICES.items() if model or not OF_MODEL & set(names)}
    held_out = {name: _held_out(rows, names) for name, names in choices.items()}
    return Fitted(_fit(rows, tuple(CONFIDENCE.weights)), held_out, len(rows))


def _fit(rows: Sequence[Measured], names: Sequence[str]) -> Confidence:
    """Sets weigh the same, and so do answerable and unanswerable questions."""
    counts = Counter((row.question.slice, row.question.sources) for row in rows)
    weights = [HALF[row.question.sources] / counts[row.question.slice, row.question.sources] for row in rows]
    return fit([row.signals for row in rows], [row.question.answerable for row in rows], names, weights)


def _held_out(rows: Sequence[Measured], names: Sequence[str]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for name in sorted({row.question.slice for row in rows}):
        confidence = _fit([row for row in rows if row.question.slice != name], names)
        own = [row for row in rows if row.question.slice == name]
        for kind in HALF:
            chosen = [row for row in own if row.question.sources in ("all", kind)]
            right = [row.question.answerable for row in chosen]
            if kind != "all" and 0 < sum(right) < len(right):
                scores = [confidence.probability(row.signals) for row in chosen]
                found.setdefault(kind, []).append(auroc(scores, right))
    return {kind: sum(values) / len(values) for kind, values in found.items()}
