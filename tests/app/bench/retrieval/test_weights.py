from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

import pytest

from app.bench.retrieval.run import Outcome
from app.bench.retrieval.weights import fit_defaults
from evaluation.beir import BeirSet
from tests.app.bench.retrieval.conftest import Bench, stand_in
from tests.fakes import WordEncoder


def test_the_defaults_are_fitted_on_questions_beside_the_test_split(
    finished: tuple[Bench, Outcome, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, _, _ = finished
    stand_in(monkeypatch, WordEncoder())
    fitted = fit_defaults(bench.settings, bench.folders)
    dev = len(BeirSet.read(bench.folders[0], "dev").qrels)
    train = len(BeirSet.read(bench.folders[1], "train").qrels)
    assert dev < fitted.questions < dev + train  # all dev questions of one set, and a held-out share of the other's
    weights = fitted.router.weights
    assert all(math.isfinite(value) for value in weights.values())
    assert weights["words"] > 0  # questions share words with their own slice
    assert weights["passages"] > 0
    assert fitted.relevance is not None
    assert fitted.relevance.dense > 0
    assert all(math.isfinite(value) for value in asdict(fitted.relevance).values())
    assert fit_defaults(bench.settings, bench.folders).router.weights == pytest.approx(weights)
