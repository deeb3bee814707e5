from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.app.beir_folders import write_set
from tests.app.bench.retrieval.conftest import stand_in
from tests.fakes import WordEncoder


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    stand_in(monkeypatch, WordEncoder())
    return [write_set(tmp_path / topic, topic) for topic in ("orchard", "engines")]


def test_several_folders_are_pooled_and_can_be_compared_afterwards(run: Any, folders: list[Path]) -> None:
    ended = run("--home", "h", "evaluate", *folders, "--limit", "4")
    assert ended.code == 0
    out = Path.cwd() / "h" / "evaluations" / "orchard+engines-test"
    assert f"Runs and scores are in {out}." in ended.out
    shown = {tuple(line.split()[:2]) for line in ended.out.splitlines()}
    assert {("dense", "(baseline)"), *((mode, "8") for mode in ("bm25", "rrf", "panel"))} <= shown
    document = run("compare", out / "orchard", out / "engines", "--json").document
    assert [row["name"] for row in document["macro"]["rows"]] == ["dense", "bm25", "rrf", "panel"]
    assert [each["data"]["name"] for each in document["sets"]] == ["orchard", "engines"]


def test_modes_and_split_are_handed_over(run: Any, folders: list[Path]) -> None:
    ended = run("evaluate", *folders, "--modes", "panel,dbsf", "--split", "dev", "--out", "o", "--json")
    assert ended.document["baseline"] == "panel"
    assert [row["name"] for row in ended.document["rows"]] == ["panel", "dbsf"]
    assert sorted(path.name for path in Path("o").iterdir()) == ["engines", "orchard"]


@pytest.mark.parametrize("options", [("--modes", "hybrid"), ("--run", "x.trec")])
def test_what_is_for_a_single_folder_is_wrong_usage(run: Any, folders: list[Path], options: tuple[str, str]) -> None:
    assert run("evaluate", *folders, *options).code == 2


@pytest.mark.slow
def test_the_benchmark_runs_on_the_folders_named(run: Any, folders: list[Path]) -> None:
    ended = run("--home", "h", "bench", "retrieval", *folders, "--json")
    assert ended.code == 0
    rows = ended.document["rows"]
    assert set(rows["Symposia"]["sets"]) == {"orchard", "engines"}
    assert rows["oracle, per question"]["macro"]["value"] >= rows["oracle, per set"]["macro"]["value"]
    runs = Path("h/benchmarks/retrieval/runs")
    assert sorted(path.name for path in runs.iterdir()) == ["engines", "orchard"]
    assert run("compare", *runs.iterdir(), "--baseline", "Symposia").code == 0


def test_the_benchmark_without_its_folders_says_which_are_absent(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, WordEncoder())
    monkeypatch.setenv("SYMPOSIA_DATA", "nowhere")
    ended = run("bench", "retrieval")
    assert ended.code == 1
    assert "There is no folder nowhere/beir/scifact" in ended.err
