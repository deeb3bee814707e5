from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import pytest

from app.cli.invocation import Invocation
from tests.app.test_evaluate_answers import FakeSymposium, question, written


class Opened(FakeSymposium):
    """The fake, as a context manager over the settings that it is opened with."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Opened]:
    made: list[Opened] = []

    def open_fake(invocation: Invocation) -> Opened:
        made.append(Opened(invocation.load().settings))
        return made[-1]

    monkeypatch.setattr(Invocation, "open", open_fake)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = [question(n, memory=["1980"], slice="ab"[n % 2]) for n in range(6)]
    return written(tmp_path / "wine.jsonl", *lines, question(7, answers=["1980"]))


def test_the_report_is_printed_and_the_folder_named(run: Any, file: Path, tmp_path: Path) -> None:
    file.write_text(file.read_text() + "{\n")
    ended = run("--home", "h", "evaluate-answers", file, "--policy", "greedy")
    assert ended.code == 0
    parts = ("Answers", "all questions", "Step by step", "used, where found", "under-trust of context", "Not used: ")
    positions = [ended.out.index(part) for part in parts]
    assert positions == sorted(positions)
    assert f"{file}:8: not JSON" in ended.out
    folder = tmp_path / "h" / "evaluations" / "wine-answers-greedy"
    assert f"Answers and scores are in {folder}." in ended.out
    assert (folder / "answers.jsonl").is_file()


def test_options_reach_the_system(run: Any, opened: list[Opened], file: Path) -> None:
    ended = run(
        "evaluate-answers", file, "--policy", "greedy", "--expert", "wine", "--no-retrieve", "--limit", "1", "--json"
    )
    [symposium] = opened
    assert symposium.settings.generation.policy == "greedy"
    assert symposium.wishes == [{"experts": ("wine",), "retrieval": False}]
    assert ended.document["tables"][0]["rows"][0]["n"] == 3


def test_a_run_is_tested_against_others(run: Any, file: Path, tmp_path: Path) -> None:
    assert run("evaluate-answers", file, "--out", "before").code == 0
    answers = (tmp_path / "before" / "per_question.jsonl").read_text()
    (tmp_path / "before" / "per_question.jsonl").write_text(answers.replace('"contains": 1.0', '"contains": 0.0'))
    ended = run("evaluate-answers", file, "--out", "after", "--compare", "before", "--json")
    compared = {table["title"]: table for table in ended.document["compared"]}
    assert list(compared)[:4] == ["a", "b", "wine", "macro average of 3 sets"]
    [before, after] = compared["macro average of 3 sets"]["rows"]
    assert (before["name"], after["name"]) == ("before", "after")
    assert after["difference"]["contains"]["value"] == pytest.approx(2 / 3)
    assert compared["used, where found"]["baseline"] == "before"
    text = run("evaluate-answers", file, "--out", "after", "--compare", "old=before").out
    assert "old (baseline)" in text and "macro average of 3 sets: contains, n = 7" in text
    assert "used, where found, n = 6" in text and "Other measures, EM, F1, answered: " in text
    assert text.count("Holm-corrected.") == 2


def test_compare_shows_the_steps_of_two_runs(run: Any, file: Path) -> None:
    for name in ("before", "after"):
        assert run("evaluate-answers", file, "--out", name).code == 0
    text = run("compare", "before", "after").out
    assert "used, where found, n = 6" in text and "macro average of 3 sets" in text
    steps = run("compare", "before", "after", "--json").document["steps"]
    assert [step["title"] for step in steps][:2] == ["evidence found", "used, where found"]


def test_no_usable_question_is_an_error(run: Any, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text("{\n")
    ended = run("evaluate-answers", "q.jsonl", "--json")
    assert ended.code == 1
    assert "no question can be used" in json.loads(ended.out)["error"]["problem"]


@pytest.mark.parametrize("options", [(), ("q.jsonl", "--limit", "0"), ("q.jsonl", "--seed", "-1")])
def test_options_that_make_no_sense_are_wrong_usage(run: Any, options: tuple[str, ...]) -> None:
    assert run("evaluate-answers", *options).code == 2


def test_a_gate_is_measured_between_never_and_always(run: Any, file: Path) -> None:
    assert run("evaluate-answers", file, "--no-retrieve", "--out", "never").code == 0
    assert run("evaluate-answers", file, "--retrieve", "--out", "always").code == 0
    ended = run("evaluate-answers", file, "--out", "gate", "--never", "never", "--always", "always")
    assert "Retrieve or not" in ended.out and "calls saved" in ended.out and "oracle" in ended.out
    alone = run("evaluate-answers", file, "--never", "never")
    assert alone.code == 2 and "go together" in alone.err
