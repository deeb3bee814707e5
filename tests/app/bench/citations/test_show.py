from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.bench.citations import refit as fitting
from app.bench.citations import run, show
from app.bench.citations.contexts import Cited
from app.bench.citations.run import Plan
from app.bench.citations.similarity import Cuts
from app.cli.output import Output
from app.settings import Settings, load_settings
from evaluation.citations import compare_citations
from generators.citations.pair_model import COLUMNS, COSINES, HOLD, read_models
from retrievers.evidence import Evidence
from tests.fakes import TOPICS, WordEncoder, make_passages

TEXTS = [text for texts in TOPICS.values() for text in texts][:10]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(flags={"home": str(tmp_path)}, env={}).settings


def written(as_json: bool) -> tuple[Output, io.StringIO]:
    stream = io.StringIO()
    return Output(stream, io.StringIO(), as_json=as_json), stream


@pytest.mark.parametrize("as_json", [True, False])
def test_tables_are_printed_with_their_notes(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    plans: list[Plan] = []

    def run(_: Settings, data: Path, kept: Path, plan: Plan, update: Callable[[str], None]) -> list[Any]:
        plans.append(plan)
        update("1 of 1")
        return [compare_citations("hotpot", {"ours": [{1}], "marks": [{2}]}, [{1}], notes=["A note."], resamples=10)]

    monkeypatch.setattr(show, "run", run)
    output, stream = written(as_json)
    show.measure(settings, tmp_path, tmp_path, output, limit=3, minutes=2.0, model=False, seed=1)
    assert plans == [Plan(3, 1, 2.0, without_model=True)]
    if as_json:
        assert json.loads(stream.getvalue())["tables"][0]["title"] == "hotpot"
    else:
        assert "A note." in stream.getvalue()
        assert "ours" in stream.getvalue()


def questions() -> list[Cited]:
    evidence = tuple(Evidence(n, p, "e", 1.0) for n, p in enumerate(make_passages(TEXTS), start=1))
    return [
        Cited(f"q{n}", " ".join(text.split()[:3]), evidence, frozenset({n}), (text.rstrip("."),), text)
        for n, text in enumerate(TEXTS, start=1)
    ]


def contrasted(item: Cited, **_: object) -> dict[str, Any]:
    right = [True, False, False, True]
    columns = [[float(each), 2.0 * each + 0.1 * place, 0.5, float(each), 0.0] for place, each in enumerate(right)]
    return {"contrasts": columns, "right": right}


@pytest.fixture
def _no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    class Named:
        name = "tiny"
        fingerprint = "weights"
        dtype = "float32"

    def encode(texts: Sequence[str]) -> Any:
        return WordEncoder().encode_passages(texts)

    monkeypatch.setattr(fitting, "read", lambda *_: questions())
    monkeypatch.setattr(fitting, "encoder", lambda _: encode)
    monkeypatch.setattr(fitting, "language_model", lambda _: Named())
    monkeypatch.setattr(fitting, "record_contrasts", contrasted)


@pytest.mark.usefixtures("_no_models")
def test_the_fit_writes_models_that_can_be_read(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show, "FILE", tmp_path / "models.toml")
    output, stream = written(as_json=True)
    show.refit(settings, tmp_path, tmp_path / "kept", output, 5.0)
    document = json.loads(stream.getvalue())
    models = read_models(tmp_path / "models.toml")
    assert set(document["models"]) == set(models) == set(COLUMNS)
    assert models["hold"].weights["hold"] > 0
    assert Cuts(**document["cosine"]).most in {1, 2, 3}


@pytest.mark.usefixtures("_no_models")
def test_contrasts_are_measured_again_where_their_finalists_may_be_others(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = dict.fromkeys(COLUMNS, "as they are")
    measured: list[str] = []

    def note(item: Cited, **_: object) -> dict[str, Any]:
        measured.append(item.id)
        return contrasted(item)

    def fit_again() -> int:
        measured.clear()
        fitting.refit(
            settings, tmp_path, tmp_path / "kept", tmp_path / "m.toml", minutes=5.0, on_progress=lambda _: None
        )
        return len(measured)

    monkeypatch.setattr(run, "fitted", weights.__getitem__)
    monkeypatch.setattr(fitting, "record_contrasts", note)
    assert [fit_again(), fit_again()] == [len(TEXTS), 0]
    weights[HOLD] = "fitted on what was measured"
    assert fit_again() == 0
    weights[COSINES] = "others"
    assert fit_again() == len(TEXTS)
