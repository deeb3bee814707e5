from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluation.beir import BeirSet
from evaluation.experiment import evaluate_runs
from evaluation.runs import Run

MakeFolder = Callable[..., Path]


def runs(questions: int) -> list[Run]:
    """One that is always right, and one that never is."""
    good = Run("good", {f"q{i}": [(f"d{i}", 1.0)] for i in range(questions)})
    return [Run("bad", {f"q{i}": [("d99", 1.0)] for i in range(questions)}), good]


@pytest.fixture
def make_folder(tmp_path: Path) -> MakeFolder:
    """Evaluates two runs on a set of that name and number of questions; gives the folder of the results."""

    def make(name: str, questions: int = 12, out: str = "") -> Path:
        folder = tmp_path / name
        (folder / "qrels").mkdir(parents=True, exist_ok=True)
        (folder / "corpus.jsonl").write_text('{"_id": "d0", "title": "", "text": "t"}\n')
        lines = [json.dumps({"_id": f"q{i}", "text": "q"}) for i in range(questions)]
        (folder / "queries.jsonl").write_text("\n".join(lines))
        rows = "".join(f"q{i}\td{i}\t1\n" for i in range(questions))
        (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")
        results = tmp_path / (out or f"out-{name}")
        evaluate_runs(BeirSet.read(folder), runs(questions), results)
        return results

    return make


def test_runs_of_a_folder_are_compared_with_the_first(run: Any, make_folder: MakeFolder) -> None:
    make_folder("one")
    ended = run("compare", "out-one")
    assert ended.code == 0
    assert "one, test split, n = 12" in ended.out
    [line] = [line for line in ended.out.splitlines() if line.startswith("good")]
    assert re.split("  +", line) == ["good", "1.000 [0.758, 1.000]", "+1.000 [–, –]", "< 0.001", "***"]
    assert "Other measures: R@100, MAP, MRR" in ended.out


def test_several_sets_end_with_the_macro_average(run: Any, make_folder: MakeFolder) -> None:
    make_folder("one")
    make_folder("two", 30)
    document = run("compare", "out-one", "out-two", "--baseline", "good", "--json").document
    assert [each["data"]["name"] for each in document["sets"]] == ["one", "two"]
    rows = {row["name"]: row for row in document["macro"]["rows"]}
    assert rows["bad"]["difference"]["MAP"]["value"] == -1.0
    assert rows["bad"]["n"] == 42
    assert rows["good"]["p"] == {}
    assert document["baseline"] == "good"


def test_folders_and_run_files_mix_and_names_tell_them_apart(run: Any, make_folder: MakeFolder) -> None:
    folder = make_folder("one")
    document = run("compare", "out-one", f"mine={folder / 'good.trec'}", "--qrels", "one", "--json").document
    assert [row["name"] for row in document["sets"][0]["rows"]] == ["bad", "good", "mine"]
    assert document["sets"][0]["rows"][2]["values"] == document["sets"][0]["rows"][1]["values"]


def test_a_run_file_needs_judgements(run: Any, make_folder: MakeFolder) -> None:
    ended = run("compare", make_folder("one") / "good.trec")
    assert ended.code == 1
    assert "--qrels" in ended.err


def test_runs_on_other_questions_are_refused_with_the_difference(run: Any, make_folder: MakeFolder) -> None:
    make_folder("one", 12, "all")
    make_folder("one", 5, "few")
    ended = run("compare", "old=all", "new=few", "--json")
    assert ended.code == 1
    assert ended.document["error"]["kind"] == "InputError"
    assert "12 questions against 5, of which 5 are in both" in ended.document["error"]["problem"]


def test_an_unknown_measure_lists_those_there_are(run: Any, make_folder: MakeFolder) -> None:
    make_folder("one")
    ended = run("compare", "out-one", "--measure", "P@1")
    assert ended.code == 1
    assert "nDCG@10, R@100, MAP, MRR" in ended.err


def test_the_report_holds_figures_for_what_there_is(run: Any, make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder("one")
    metrics = json.loads((folder / "metrics.json").read_text())
    for place, row in enumerate(metrics["rows"]):
        row["cost"] = {"CPU ms": float(place)}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    routed = {"run": "good", "question": "q1", "right": ["a"], "asked": ["a"], "probabilities": {"a": 0.9}}
    (folder / "routing.jsonl").write_text(json.dumps(routed) + "\n")
    (folder / "calibration.jsonl").write_text('{"probability": 0.5, "relevant": true}\n')
    ended = run("compare", "out-one", "--out", "report", "--measure", "MAP", "--measure", "nDCG@10")
    assert sorted(file.name for file in (tmp_path / "report").iterdir()) == [
        "cost-CPU-ms-MAP.svg", "cost-CPU-ms-nDCG@10.svg", "forest-MAP.svg", "forest-nDCG@10.svg",
        "reliability-relevance-out-one.svg", "reliability-routing-good.svg", "report.html",
    ]  # fmt: skip
    assert (tmp_path / "report" / "report.html").read_text().count("<svg") == 6
    assert "The report is in report/report.html, with 6 figures beside it." in ended.out


def test_one_run_alone_has_nothing_to_draw_but_its_numbers(run: Any, make_folder: MakeFolder, tmp_path: Path) -> None:
    folder = make_folder("one")
    ended = run("compare", folder / "good.trec", "--qrels", "one", "--out", "report")
    assert ended.code == 0
    assert [file.name for file in (tmp_path / "report").iterdir()] == ["report.html"]
