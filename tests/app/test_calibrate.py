from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.calibrate import calibrate
from app.settings import Settings
from app.symposium import Symposium
from app.wiring import make_panel
from indexes.errors import InputError, SettingsError
from retrievers.calibrated_router import FILE, Calibrated
from retrievers.panel import Panel
from retrievers.router import ScoredRouter, Wishes
from tests.app.beir_folders import question
from tests.app.bench.retrieval.conftest import Home, build_home, stand_in
from tests.fakes import TOPICS, WordEncoder

COVERAGE = 0.8


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        stand_in(monkeypatch, WordEncoder())
        yield build_home(tmp_path_factory.mktemp("calibrate"))


@pytest.fixture
def panel(home: Home) -> Iterator[Panel]:
    """Three experts, each from a BEIR folder of its name, not calibrated."""
    Calibrated.remove(home.slices)
    panel = make_panel(home.settings)
    yield panel
    panel.close()


@pytest.fixture
def settings(home: Home) -> Settings:
    return home.settings


@pytest.fixture
def sources(home: Home) -> list[str]:
    return [f"{topic}={home.folders / topic}:train" for topic in TOPICS]


def asked_and_owners() -> tuple[list[str], list[str]]:
    """All questions of the train splits, in the order in which calibrating reads them."""
    pairs = [(question(t, p, n), t) for t in TOPICS for p in range(8) for n in (0, 1)]
    return [text for text, _ in pairs], [topic for _, topic in pairs]


def test_the_next_panel_routes_with_the_mass_and_the_temperature_found(
    panel: Panel, settings: Settings, sources: list[str]
) -> None:
    before = panel.router
    assert isinstance(before, ScoredRouter)
    assert (before.mass, before.temperature) == (settings.retrieval.mass, 1.0)
    done = calibrate(panel, sources, COVERAGE, seed=3)
    assert panel.router is before
    panel.close()
    fresh = make_panel(settings)
    router = fresh.router
    assert isinstance(router, ScoredRouter)
    assert (router.mass, router.temperature) == (done.calibrated.guarantee.mass, done.calibrated.temperature)
    assert router.most == settings.retrieval.most_experts
    fresh.close()


def test_the_right_expert_is_asked_in_the_stated_share_of_the_questions_that_fitted_the_mass(
    panel: Panel, settings: Settings, sources: list[str]
) -> None:
    done = calibrate(panel, sources, COVERAGE, seed=3)
    panel.close()
    fresh = make_panel(settings)
    fresh.open()
    profiles = {name: expert.profile for name, expert in fresh.experts.items()}
    texts, owners = asked_and_owners()
    vectors = fresh.encoder.encode_questions(texts)
    covered = [
        owner in fresh.router.route(text, vector, profiles, Wishes(retrieval=True)).experts
        for text, vector, owner in zip(texts, vectors, owners, strict=True)
    ]
    second = np.random.default_rng(3).permutation(len(texts))[len(texts) // 2 :]
    assert np.mean([covered[row] for row in second]) >= COVERAGE
    assert done.after.coverage.value == pytest.approx(np.mean(covered))  # three experts, and up to three are asked
    assert done.after.asked.value < len(TOPICS)
    fresh.close()


def test_what_was_done_is_kept_and_told(panel: Panel, sources: list[str]) -> None:
    done = calibrate(panel, sources, COVERAGE)
    assert Calibrated.read(panel.folder) == done.calibrated
    assert done.calibrated.experts == tuple(sorted(TOPICS))
    document = json.loads(json.dumps(done.to_dict()))
    assert document["questions"] == dict.fromkeys(TOPICS, 16)
    assert (document["mass"], document["coverage"]) == (done.calibrated.guarantee.mass, COVERAGE)
    assert document["before"]["n"] == document["after"]["n"] == 48
    assert done.before.accuracy.value == done.after.accuracy.value  # a temperature changes no order
    assert done.before.asked.value != done.after.asked.value


def test_sources_of_one_expert_add_up_and_the_home_folder_is_understood(
    panel: Panel, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(home.folders))
    done = calibrate(
        panel, ["orchard=~/orchard:train", "engines=~/engines", f"orchard={home.folders / 'orchard'}"], 0.6
    )
    assert done.questions == {"orchard": 24, "engines": 8}  # a folder is judged by its dev split


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("orchard", "does not say whose questions"),
        ("orchard=", "does not say whose questions"),
        ("meadow={}/orchard", "no expert named 'meadow'"),
        ("=questions.jsonl", "no expert named ''"),
        ("orchard={}/absent.jsonl", "There is no file or folder"),
        ("orchard={}/foreign.jsonl", "No question in .* has a passage in the slice of 'orchard'"),
    ],
)
def test_a_source_that_cannot_serve_is_an_error_and_nothing_is_kept(
    panel: Panel, tmp_path: Path, source: str, problem: str
) -> None:
    (tmp_path / "foreign.jsonl").write_text('{"question": "Why?", "key": "nowhere"}\n')
    with pytest.raises(InputError, match=problem):
        calibrate(panel, [source.format(tmp_path)], COVERAGE)
    assert not (panel.folder / FILE).exists()


def test_without_sources_or_with_too_few_questions_nothing_is_kept(panel: Panel, sources: list[str]) -> None:
    with pytest.raises(InputError, match="no calibration questions"):
        calibrate(panel, [], COVERAGE)
    with pytest.raises(InputError, match="48 calibration questions are too few for a coverage of 99%"):
        calibrate(panel, sources, 0.99)
    assert not (panel.folder / FILE).exists()


def test_a_damaged_calibration_stops_routing_until_it_is_reset(panel: Panel, settings: Settings) -> None:
    panel.close()
    (panel.folder / FILE).write_text("{")
    with Symposium.open(settings) as symposium:
        assert len(symposium.experts()) == 3
        with pytest.raises(SettingsError, match="is damaged"):
            symposium.retrieve("When do apple trees blossom?")
        symposium.reset_calibration()
    with Symposium.open(settings) as symposium:
        route, _ = symposium.retrieve("When do apple trees blossom?")
        assert route.experts[0] == "orchard"
