from __future__ import annotations

from pathlib import Path

import pytest

from app.bench.abstention.measure import Measured
from app.bench.abstention.questions import Labelled, Sources
from app.bench.abstention.weights import fit_defaults, fitted
from app.settings import Settings


def row(slice_: str, sources: Sources, relevance: float, coverage: float) -> Measured:
    question = Labelled("1", "?", slice_, sources, sources == "all")
    return Measured(question, True, {"relevance": relevance, "coverage": coverage})


def test_signals_are_compared_on_the_set_that_was_left_out() -> None:
    parts: tuple[Sources, ...] = ("without the slice", "without the passages")
    rows = [row(name, "all", 1.0 + n / 10, n / 10) for name in ("a", "b", "c") for n in range(10)]
    rows += [row(name, kind, n / 10, n / 10) for name in ("a", "b", "c") for kind in parts for n in range(9)]
    found = fitted(rows, model=False)
    assert set(found.held_out) == {"relevance", "+ coverage"}
    assert found.held_out["relevance"] == {"without the slice": 1.0, "without the passages": 1.0}
    assert found.confidence.weights["relevance"].by > 0
    assert found.questions == len(rows)
    document = found.to_dict()
    assert document["weights"]["relevance"]["by"] == found.confidence.weights["relevance"].by


def test_the_defaults_are_fitted_on_the_development_sets(data: Path, settings: Settings) -> None:
    found = fit_defaults(settings, data, per_part=3, model=False, report=lambda *_: None)
    assert found.confidence.weights["relevance"].by > 0
    assert found.held_out["relevance"]["without the slice"] > 0.5
    assert 24 < found.questions <= 36
    again = fit_defaults(settings, data, per_part=3, model=False, report=lambda *_: None)
    assert again.confidence.bias == pytest.approx(found.confidence.bias)
