from __future__ import annotations

from pathlib import Path

import pytest

from app.knowing import make_knows
from app.settings import Settings, load_settings
from generators.decoding.knowing import ClosedBook, Knowing, Measured


def settings(share: float, server: str = "") -> Settings:
    return load_settings(flags={"retrieval.draft": share, "models.server": server}, env={}).settings


def no_model() -> ClosedBook:
    raise AssertionError("no question was asked")


def test_it_is_off_by_default(tmp_path: Path) -> None:
    Measured("lion", (0.1,) * 100).write(tmp_path)
    assert load_settings(env={}).settings.retrieval.draft == 0
    assert make_knows(settings(0.0), tmp_path, no_model) is None


def test_it_needs_measurements_and_a_model_that_is_held_here(tmp_path: Path) -> None:
    assert make_knows(settings(0.1), tmp_path, no_model) is None
    Measured("lion", (0.1,) * 100).write(tmp_path)
    assert make_knows(settings(0.1), tmp_path, no_model) is not None
    assert make_knows(settings(0.1, "http://localhost:1/v1"), tmp_path, no_model) is None


@pytest.mark.parametrize(("share", "value"), [(0.1, 0.05), (0.2, 0.14)])
def test_the_setting_is_the_share_that_may_be_skipped(share: float, value: float, tmp_path: Path) -> None:
    Measured("lion", tuple(i / 100 for i in range(1, 101))).write(tmp_path)
    knows = make_knows(settings(share), tmp_path, no_model)
    assert isinstance(knows, Knowing)
    assert knows.threshold.value == pytest.approx(value, abs=0.011)
