from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.calibrate_verdict import VerdictCalibration
from generators.verdicts.calibrated_verdict import FILE as VERDICT
from generators.verdicts.calibrated_verdict import CalibratedVerdict, Point
from retrievers.calibrated_router import FILE, Calibrated
from tests.app.bench.retrieval.conftest import Home, build_home, stand_in
from tests.fakes import TOPICS, WordEncoder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        stand_in(monkeypatch, WordEncoder())
        yield build_home(tmp_path_factory.mktemp("calibrate"))


@pytest.fixture
def home(built: Home) -> Home:
    """Three experts, not calibrated."""
    Calibrated.remove(built.slices)
    return built


@pytest.fixture
def experts(home: Home) -> list[str]:
    """The arguments that name their questions."""
    return [f"{topic}={home.folders / topic}:train" for topic in TOPICS]


def test_a_calibration_is_kept_shown_and_reset(run: Any, home: Home, experts: list[str]) -> None:
    ended = run("--home", home.path, "calibrate", *experts, "--coverage", "0.8", "--seed", "2", "--json")
    assert ended.code == 0
    kept = json.loads((home.slices / FILE).read_text())
    assert ended.document["mass"] == kept["guarantee"]["mass"]
    assert ended.document["coverage"] == kept["guarantee"]["coverage"] == 0.8
    assert ended.document["questions"] == dict.fromkeys(TOPICS, 16)
    ended = run("--home", home.path, "calibrate", *experts, "--coverage", "0.8", "--seed", "2")
    assert [line.split()[0] for line in ended.out.splitlines()[1:4]] == ["router", "before", "after"]
    assert f"hold {kept['guarantee']['mass']:.3f} of the probability" in ended.out
    assert "at least 80% of such questions" in ended.out
    ended = run("--home", home.path, "calibrate", "--reset")
    assert (ended.code, ended.out) == (0, "Router and verdict follow the settings again.\n")
    assert not (home.slices / FILE).exists()


def test_a_reset_for_a_program_is_json(run: Any, home: Home) -> None:
    ended = run("--home", home.path, "calibrate", "--reset", "--json")
    assert (ended.code, ended.document) == (0, {"reset": ["router", "verdict"]})


@pytest.mark.parametrize("questions", [("--labelled", "nope.jsonl"), ("orchard=nope",)])
def test_a_reset_takes_no_questions(run: Any, home: Home, questions: tuple[str, ...]) -> None:
    (home.slices / FILE).write_text("{}")
    ended = run("--home", home.path, "calibrate", "--reset", *questions)
    assert ended.code == 2
    assert "--reset goes back to what the settings say" in ended.err
    assert (home.slices / FILE).exists()


def test_the_route_says_what_the_calibrated_temperature_makes_of_it(run: Any, home: Home) -> None:
    question = ("--home", home.path, "retrieve", "When do apple trees blossom?", "--json")
    plain = run(*question).document["route"]["shares"]
    kept = {
        "format": 1,
        "temperature": 10.0,
        "guarantee": {"mass": 1.0, "coverage": 0.9, "questions": 9},
        "experts": [],
    }
    (home.slices / FILE).write_text(json.dumps(kept))
    warm = run(*question).document["route"]["shares"]
    assert [share["expert"] for share in warm] == [share["expert"] for share in plain]
    assert warm[0]["probability"] < plain[0]["probability"]
    assert all(share["asked"] for share in warm)


def test_a_damaged_calibration_is_an_error_whose_fix_works(run: Any, home: Home, experts: list[str]) -> None:
    (home.slices / FILE).write_text("{")
    ended = run("--home", home.path, "retrieve", "When do apple trees blossom?")
    assert ended.code == 1
    assert "is damaged" in ended.err
    assert "symposia calibrate --reset" in ended.err
    assert run("--home", home.path, "calibrate", "--reset").code == 0
    assert run("--home", home.path, "retrieve", "When do apple trees blossom?").code == 0


def test_too_few_questions_are_an_error(run: Any, home: Home) -> None:
    ended = run("--home", home.path, "calibrate", f"orchard={home.folders / 'orchard'}:dev", "--json")
    assert ended.code == 1
    assert "8 calibration questions are too few" in ended.document["error"]["problem"]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """A stand-in for calibrating the verdict, which needs a language model; it notes what it was given."""
    made: list[tuple[object, ...]] = []
    curve = tuple(Point(1 - n / 25, n / 25, n / 100) for n in range(1, 26))
    calibrated = CalibratedVerdict(0.52, 0.1, 0.9, 25, 0.48, curve, "speaker")

    def calibrate_verdict(symposium: Any, *given: Any) -> VerdictCalibration:
        *options, report = given
        report(8, 25)
        made.append(tuple(options))
        calibrated.write(symposium.panel.folder)
        return VerdictCalibration(calibrated, 25, 6)

    monkeypatch.setattr("app.calibrate_verdict.calibrate_verdict", calibrate_verdict)
    return made


def test_a_verdict_is_calibrated_shown_and_reset(run: Any, home: Home, judged: list[tuple[object, ...]]) -> None:
    ended = run("--home", home.path, "calibrate", "--labelled", "a.jsonl", "--labelled", "b.jsonl", "--risk", "0.2")
    assert ended.code == 0
    assert judged == [([Path("a.jsonl"), Path("b.jsonl")], 0.2, 0.9)]
    lines = ended.out.splitlines()
    assert lines[:2] == ["25 questions", "confidence  answered  of these wrong"]
    assert lines[-2].split() == ["0.000", "100%", "25%"]
    assert "25 are answered, 6 of them wrongly" in lines[-1]
    assert "Answers below a confidence of 0.520 are refused from now on" in lines[-1]
    assert "8 of 25 questions" in ended.err
    assert (home.slices / VERDICT).is_file()
    assert run("--home", home.path, "calibrate", "--reset").code == 0
    assert not (home.slices / VERDICT).exists()


def test_a_verdict_calibrated_for_a_program_is_json(run: Any, home: Home, judged: list[tuple[object, ...]]) -> None:
    document = run("--home", home.path, "calibrate", "--labelled", "a.jsonl", "--json").document
    assert (document["confidence"], document["answered"], document["wrong"]) == (0.52, 25, 6)
    assert len(document["curve"]) == 25
    assert judged
    CalibratedVerdict.remove(home.slices)


def test_router_and_verdict_are_calibrated_one_at_a_time(
    run: Any, home: Home, experts: list[str], judged: list[tuple[object, ...]]
) -> None:
    ended = run("--home", home.path, "calibrate", *experts, "--labelled", "a.jsonl")
    assert ended.code == 2
    assert "one at a time" in ended.err
    assert not judged


@pytest.mark.parametrize(
    "options", [("--coverage", "1"), ("--coverage", "0"), ("--seed", "-1"), ("--risk", "1"), ("--certainty", "1")]
)
def test_options_that_make_no_sense_are_wrong_usage(run: Any, options: tuple[str, str]) -> None:
    assert run("calibrate", "a=b", *options).code == 2
