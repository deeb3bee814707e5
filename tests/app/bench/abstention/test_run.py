from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.bench.abstention.questions import Labelled
from app.bench.abstention.run import (
    ALL_TYPED,
    FOUND,
    LACKING,
    OURS,
    RELEVANCE,
    SYSTEMS,
    TYPED,
    UN,
    _search,
    confidence_score,
    run,
)
from app.bench.dialogues import half
from app.settings import Settings
from evaluation.abstention import AUROC
from generators.verdicts.confidence import CONFIDENCE, log_odds
from generators.verdicts.verdict import Thresholds


def test_each_set_has_its_table_and_its_curve(data: Path, settings: Settings, tmp_path: Path) -> None:
    done = run(settings, data, tmp_path / "out", model=False, report=lambda *_: None)
    assert [table.title for table in done.tables] == [UN, FOUND, TYPED, ALL_TYPED, LACKING]
    assert [row.name for row in done.tables[0].rows] == [RELEVANCE, "best BM25 score", OURS]
    assert [table.rows[0].n for table in done.tables] == [12, done.tables[1].rows[0].n, 12, 24, 12]
    assert 6 < done.tables[1].rows[0].n <= 12
    values = [table.row(OURS).values[AUROC].value for table in done.tables]
    assert min(values) > 0.9, values  # the topics share few words
    assert all(file.is_file() for file in done.files)
    assert json.loads((tmp_path / "out" / "abstention.json").read_text())["tables"][0]["title"] == UN
    notes = " ".join(done.tables[0].notes)
    assert "1 partial, 1 underspecified" in notes
    assert "of 6 find a relevant passage" in notes


def test_what_the_rules_were_made_on_is_reported_as_it_was_typed_alone(
    data: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, set[str]] = {}

    def noted(_: Settings, folders: Any, slices: Path, sets: Mapping[str, Sequence[Labelled]], report: Any) -> Any:
        asked.update({title: {question.id for question in found} for title, found in sets.items()})
        return _search(settings, folders, slices, sets, report)

    monkeypatch.setattr("app.bench.abstention.run._search", noted)
    done = run(settings, data, tmp_path / "out", model=False, report=lambda *_: None)
    tuned = {title for title, ids in asked.items() if any(half(i) == "tune" for i in ids)}
    assert tuned == {ALL_TYPED}
    said = {table.title: any("made on the other half" in note for note in table.notes) for table in done.tables}
    assert said == {UN: True, FOUND: True, TYPED: False, ALL_TYPED: False, LACKING: True}


def test_a_limit_draws_the_same_questions_each_time(data: Path, settings: Settings, tmp_path: Path) -> None:
    first = run(settings, data, tmp_path / "out", limit=10, model=False, report=lambda *_: None)
    again = run(settings, data, tmp_path / "out", limit=10, model=False, report=lambda *_: None)
    assert first.tables[0].rows[0].n == 10
    assert first.to_dict() == again.to_dict()


def test_with_a_model_all_systems_are_compared_and_nothing_is_measured_twice(
    data: Path, settings: Settings, tmp_path: Path, tiny_generator: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.bench.abstention.run.resolve", lambda *_: tiny_generator)
    monkeypatch.setattr("generators.prompts.WITH_SOURCES", "Answer.")  # the tiny model reads 512 letters
    settings = settings.model_copy(update={"retrieval": settings.retrieval.model_copy(update={"passages": 1})})
    settings = settings.model_copy(update={"models": settings.models.model_copy(update={"dtype": "float32"})})
    done = run(settings, data, tmp_path / "out", limit=8, report=lambda *_: None)
    assert tuple(row.name for row in done.tables[0].rows) == SYSTEMS
    kept = settings.home / "benchmarks" / "abstention" / "measured.jsonl"
    lines = kept.read_text()
    signals = [json.loads(line)["signals"] for line in lines.splitlines()]
    assert len({signal["sufficient"] for signal in signals}) > 1
    assert all(0 <= signal["support"] <= 1 and signal["sure"] <= 0 for signal in signals)
    again = run(settings, data, tmp_path / "out", limit=8, report=lambda *_: None)
    assert again.to_dict() == done.to_dict()
    assert kept.read_text() == lines


def test_what_a_rule_refuses_comes_after_all_that_none_does() -> None:
    def score(relevance: float, names: float = 0.0, refused: float = 0.0) -> float:
        signals = {"relevance": log_odds(relevance), "unknown names": names, "refused": refused}
        return confidence_score(signals, CONFIDENCE, Thresholds(relevance=0.08))

    assert score(0.9) > score(0.5) > score(0.09) > score(0.9, names=1) > score(0.5, refused=1) > score(0.07)
