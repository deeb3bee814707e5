from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.symposium import Symposium
from generators.answer import Verdict
from tests.app.bench.retrieval.conftest import build_home, stand_in
from tests.fakes import WordEncoder
from tests.generators.scripted import ScriptedModel

QUESTION = "When do apple trees blossom?"


def test_from_the_next_open_on_what_is_not_sure_enough_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, WordEncoder())
    home = build_home(tmp_path)
    monkeypatch.setattr("app.wiring.language_model", lambda _: ScriptedModel("Apple trees blossom in April."))
    file = tmp_path / "labelled.jsonl"
    file.write_text(f"{json.dumps({'question': QUESTION, 'answers': ['April']})}\n" * 60)
    with Symposium.open(home.settings) as symposium:
        before = symposium.ask(QUESTION)
        calibrated = symposium.calibrate_verdict([file]).calibrated
    assert calibrated.confidence == pytest.approx(before.signals["confidence"])
    with Symposium.open(home.settings) as symposium:
        assert symposium.ask(QUESTION).verdict is Verdict.ANSWERED
    replace(calibrated, confidence=0.9999).write(home.slices)
    with Symposium.open(home.settings) as symposium:
        assert symposium.ask(QUESTION).verdict is Verdict.NOT_IN_SOURCES
        symposium.reset_calibration()
    with Symposium.open(home.settings) as symposium:
        assert symposium.ask(QUESTION).verdict is Verdict.ANSWERED
