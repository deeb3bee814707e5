from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evaluation.intervals import Interval
from evaluation.report import Row, Table

Calls = list[dict[str, Any]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Stand-ins for the benchmarks, which need models; they note what they were given."""
    made: Calls = []

    def speed(settings: Any, output: Any) -> dict[str, Any]:
        made.append({"passages": settings.retrieval.passages, "as_json": output.as_json})
        return {"ok": settings.retrieval.passages < 9}

    def decoding(_: Any, data: Path, **options: Any) -> Table:
        options.pop("on_progress")("1 of 2 answers")
        made.append({"data": data, **options})
        return Table("NQ-Swap", ("F1",), (Row("greedy", 2, {"F1": Interval(0.5, 0.4, 0.6)}),), "greedy", ("A note.",))

    for name, run in (("speed", speed), ("decoding", decoding)):
        module = ModuleType(f"app.bench.{name}")
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"app.bench.{name}", module)
    return made


@pytest.mark.parametrize(("passages", "code"), [(5, 0), (9, 1)])
def test_a_missed_target_of_speed_ends_with_1(run: Any, calls: Calls, passages: int, code: int) -> None:
    ended = run("--set", f"retrieval.passages={passages}", "bench", "speed", "--json")
    assert (ended.code, ended.document) == (code, {"ok": code == 0})
    assert calls == [{"passages": passages, "as_json": True}]


def test_the_data_of_decoding_is_found_below_the_variable(
    run: Any, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMPOSIA_DATA", str(tmp_path))
    ended = run("bench", "decoding", "--limit", "7")
    assert calls == [{"data": tmp_path / "qa" / "nq-swap" / "dev.parquet", "n": 7, "seed": 0}]
    assert ended.out.splitlines() == ["NQ-Swap", "system  n  F1", "greedy  2  0.500 [0.400, 0.600]", "A note."]
    assert "1 of 2 answers" in ended.err


def test_the_data_of_decoding_may_be_named(run: Any, calls: Calls) -> None:
    assert run("bench", "decoding", "--data", "x.parquet", "--seed", "3", "--json").document["baseline"] == "greedy"
    assert calls == [{"data": Path("x.parquet"), "n": 200, "seed": 3}]


def test_an_unknown_bench_is_wrong_usage(run: Any, calls: Calls) -> None:
    assert run("bench", "taste").code == 2
    assert calls == []


def test_the_data_of_conflicts_is_found_below_the_variable(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Calls = []

    def conflicts(_: Any, data: Path, **options: Any) -> Table:
        options.pop("on_progress")("1 of 2 questions")
        made.append({"data": data, **options})
        return Table("RAMDocs", ("F1",), (Row("all sides", 2, {"F1": Interval(0.5, 0.4, 0.6)}),), "", ("A note.",))

    module = ModuleType("app.bench.conflicts")
    module.run = conflicts  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app.bench.conflicts", module)
    monkeypatch.setenv("SYMPOSIA_DATA", str(tmp_path))
    ended = run("bench", "conflicts", "--limit", "7")
    assert made == [{"data": tmp_path / "qa" / "ramdocs-dev" / "ramdocs.jsonl", "n": 7, "seed": 0}]
    assert "0.500" in ended.out
    assert "A note." in ended.out
    assert run("bench", "conflicts", "--data", "x.jsonl", "--json").document["title"] == "RAMDocs"


def test_the_gates_sizes_and_folders_are_passed_on(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.bench.gate.run import Sizes

    made: list[tuple[Any, ...]] = []

    def gate(_: Any, panel: Path | None, beir: list[Path], qa: Path, sizes: Sizes, *, report: Any) -> list[Table]:
        report("drafts: 1 of 2")
        made.append((panel, [path.name for path in beir], qa, sizes))
        return [
            Table(
                "The gate",
                ("false skips",),
                (Row("ours", 9, {"false skips": Interval(0.01, 0, 0.02)}),),
                "",
                ("Note.",),
            )
        ]

    monkeypatch.setattr("app.bench.gate.run.run", gate)
    monkeypatch.setenv("SYMPOSIA_DATA", str(tmp_path))
    ended = run("bench", "gate", "--domain", "5", "--panel", "slices")
    (panel, beir, qa, sizes) = made[0]
    assert (panel, qa, sizes.domain, sizes.trivia) == (Path("slices"), tmp_path / "qa", 5, 300)
    assert "scifact" in beir
    assert "0.010" in ended.out
    assert "Note." in ended.out
    assert run("bench", "gate", "--json").document["tables"][0]["title"] == "The gate"
