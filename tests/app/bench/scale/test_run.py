from __future__ import annotations

from pathlib import Path

import pytest

from app.bench.scale import run as runs
from app.bench.scale.run import CALLS, HEADER, Measured, Plan, run
from app.bench.scale.systems import SYSTEMS
from app.bench.scale.worker import Task, build, search

NEEDS = {"FAISS flat": "faiss"}
CAN = {
    "Symposia": set(CALLS),
    "Symposia, int8": set(CALLS),
    "FAISS flat": {"dense"},
    "qdrant-client local mode": set(CALLS),
    "LlamaIndex default": {"dense", "document"},
}


def task(system: str, folder: Path, points: int = 300) -> Task:
    return Task(system, str(folder), points, 3, 16, 0, 5, 60.0)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_does_the_calls_it_can_and_finds_the_nearest(system: str, tmp_path: Path) -> None:
    if system in NEEDS:
        pytest.importorskip(NEEDS[system])
    work = task(system, tmp_path)
    built = build(work)
    assert built["seconds"] > 0
    assert built["disk"] > 0
    searched = search(work)
    assert set(searched["calls"]) == CAN[system]
    assert {call["n"] for call in searched["calls"].values()} == {5}
    assert runs._recall(work, searched["calls"]["dense"]) == 1.0
    if "document" in searched["calls"]:
        assert [len(found) for found in searched["calls"]["document"]["found"]] == [5] * 5


def test_a_call_that_takes_too_long_is_asked_less_often(tmp_path: Path) -> None:
    work = Task("Symposia", str(tmp_path), 300, 3, 16, 0, 5, 0.0)
    build(work)
    assert {call["n"] for call in search(work)["calls"].values()} == {1}


def test_rivals_hold_fewer_and_what_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Task] = []

    def work(phase: str, task: Task, limit: float) -> tuple[dict[str, object], str]:
        asked.append(task)
        return {}, f"{phase} took more than {limit:.0f} s"

    monkeypatch.setattr(runs, "_work", work)
    told: list[str] = []
    found = run(Plan(points=5_000, rival_points=1_000, limit=7), tmp_path, told.append)
    assert {each.system: each.points for each in found} == {
        "Symposia": 5_000,
        "Symposia, int8": 5_000,
        "FAISS flat": 5_000,
        "qdrant-client local mode": 1_000,
        "LlamaIndex default": 1_000,
    }
    assert {each.clusters for each in asked} == {10}
    assert {each.problem for each in found} == {"build took more than 7 s"}
    assert all(len(each.cells()) == len(HEADER) for each in found)
    assert len(told) == 10
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_each_system_works_in_a_process_of_its_own(tmp_path: Path) -> None:
    plan = Plan(points=1_000, dimension=16, questions=5, only=("Symposia",))
    (found,) = run(plan, tmp_path, lambda _: None)
    assert (found.problem, found.recall) == ("", 1.0)
    assert set(found.searched["calls"]) == set(CALLS)
    assert found.searched["memory"] > 0


def test_a_worker_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    (found,) = run(Plan(points=1_000, limit=0.01, only=("Symposia",)), tmp_path, lambda _: None)
    assert found.problem == "build took more than 0 s"
    assert found.recall is None


def test_a_row_shows_what_was_measured() -> None:
    call = {"n": 5, "p50": 1.234, "p95": 5.678}
    measured = Measured(
        "Symposia",
        100_000,
        {"seconds": 12.3, "cpu": 45.6, "disk": 78.9},
        {"opened": 0.25, "memory": 300.4, "calls": {"dense": call, "hybrid": call}},
        0.9987,
    )
    assert measured.cells() == (
        *("Symposia", "100,000", "12 / 46", "79", "300", "0.25"),
        *("1.23 / 5.68", "–", "1.23 / 5.68", "–", "0.999", ""),
    )
