from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.bench.abstention.run import Outcome
from app.bench.abstention.weights import PER_PART, Fitted
from evaluation.intervals import Interval
from evaluation.report import Row, Table
from generators.verdicts.confidence import Confidence, Weight

Calls = list[dict[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Stand-ins for what takes long; they note what they were given."""
    made: Calls = []

    def run(_: Any, data: Path, out: Path, **options: Any) -> Outcome:
        options.pop("report")("searching", 1, 2)
        made.append({"data": data, "out": out, **options})
        table = Table("A set", ("AUROC",), (Row("one", 9, {"AUROC": Interval(0.75, 0.5, 0.9)}),), "", ("A note.",))
        return Outcome((table,), (out / "curve.svg",))

    def fit_defaults(_: Any, data: Path, **options: Any) -> Fitted:
        del options["report"]
        made.append({"data": data, **options})
        return Fitted(Confidence(-1.5, {"relevance": Weight(1.25, -3.0)}), {"relevance": {"without": 0.75}}, 40)

    for name, functions in (("run", {"run": run}), ("weights", {"fit_defaults": fit_defaults, "PER_PART": PER_PART})):
        module = ModuleType(f"app.bench.abstention.{name}")
        module.__dict__.update(functions)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


def test_tables_notes_and_pictures_are_shown(run: Any, calls: Calls, tmp_path: Path) -> None:
    ended = run("bench", "abstention", "--data", "d", "--out", tmp_path, "--limit", "7", "--no-model")
    assert calls == [{"data": Path("d"), "out": tmp_path, "limit": 7, "model": False, "seed": 0}]
    assert ended.out.splitlines()[:2] == ["A set", "system  n  AUROC"]
    assert "A note." in ended.out
    assert ended.out.splitlines()[-1] == f"Written: {tmp_path / 'curve.svg'}"
    assert "searching: 1 of 2" in ended.err


def test_weights_are_fitted_instead(run: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYMPOSIA_DATA", str(tmp_path))
    ended = run("bench", "abstention", "--fit")
    assert calls == [{"data": tmp_path, "per_part": PER_PART, "model": True, "seed": 0}]
    assert "relevance: 1.250 · (value − -3.000)" in ended.out
    document = run("bench", "abstention", "--fit", "--json").document
    assert document["held_out"] == {"relevance": {"without": 0.75}}
