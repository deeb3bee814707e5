from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import app.bench.decoding
from app.bench.decoding import Plan
from evaluation.decoding import Comparison
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

    def decoding(_: Any, plan: Plan, out: Path, report: Any) -> Comparison:
        report("questions", 1, 2)
        made.append({"plan": plan, "out": out})
        rows = (Row("greedy", 2, {"EM": Interval(0.5, 0.4, 0.6)}),)
        tables = [Table(title, ("EM",), rows, "greedy", ("A note.",)) for title in ("summary", "conflict")]
        return Comparison(tables[0], {"conflict": tables[1]})

    module = ModuleType("app.bench.speed")
    module.run = speed  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app.bench.speed", module)
    monkeypatch.setattr(app.bench.decoding, "run", decoding)
    return made


@pytest.mark.parametrize(("passages", "code"), [(5, 0), (9, 1)])
def test_a_missed_target_of_speed_ends_with_1(run: Any, calls: Calls, passages: int, code: int) -> None:
    ended = run("--set", f"retrieval.passages={passages}", "bench", "speed", "--json")
    assert (ended.code, ended.document) == (code, {"ok": code == 0})
    assert calls == [{"passages": passages, "as_json": True}]


def test_the_data_of_decoding_is_found_below_the_variable_and_what_is_said_is_kept_below_the_home(
    run: Any, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMPOSIA_DATA", str(tmp_path))
    ended = run("--home", str(tmp_path), "bench", "decoding", "--limit", "7")
    assert calls == [{"plan": Plan(tmp_path, 7), "out": tmp_path / "benchmarks" / "decoding"}]
    table = ["system  n  EM", "greedy  2  0.500 [0.400, 0.600]"]
    assert ended.out.splitlines() == ["conflict", *table, "summary", *table, "A note."]
    assert "questions: 1 of 2" in ended.err


def test_the_data_and_the_part_of_decoding_may_be_named(run: Any, calls: Calls, tmp_path: Path) -> None:
    given = ("--data", "x", "--seed", "3", "--part", "tune", "--timed", "5", "--out", str(tmp_path), "--json")
    assert run("bench", "decoding", *given).document["summary"]["baseline"] == "greedy"
    assert calls == [{"plan": Plan(Path("x"), 300, 5, 3, "tune"), "out": tmp_path}]


def test_a_part_of_decoding_that_is_none_is_wrong_usage(run: Any, calls: Calls) -> None:
    assert run("bench", "decoding", "--part", "test").code == 2
    assert calls == []


def test_an_unknown_bench_is_wrong_usage(run: Any, calls: Calls) -> None:
    assert run("bench", "taste").code == 2
    assert calls == []


def test_the_data_of_conflicts_is_found_below_the_variable(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Calls = []

    def conflicts(settings: Any, data: Path, out: Path, **options: Any) -> Table:
        options.pop("on_progress")("1 of 2 questions")
        made.append({"data": data, "out": out.relative_to(settings.home), **options})
        return Table("RAMDocs", ("F1",), (Row("all sides", 2, {"F1": Interval(0.5, 0.4, 0.6)}),), "", ("A note.",))

    module = ModuleType("app.bench.conflicts")
    module.run = conflicts  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app.bench.conflicts", module)
    monkeypatch.setenv("SYMPOSIA_DATA", str(tmp_path))
    ended = run("bench", "conflicts", "--limit", "7")
    file = tmp_path / "qa" / "ramdocs-dev" / "ramdocs.jsonl"
    assert made == [{"data": file, "out": Path("benchmarks/conflicts"), "n": 7, "seed": 0}]
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
