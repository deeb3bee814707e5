from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluation.beir import BeirSet
from evaluation.experiment import evaluate_runs
from evaluation.files import json_lines
from evaluation.routing import Routed, read_routing
from evaluation.runs import Run, retrieve_run
from indexes.errors import InputError

MakeSet = Callable[..., Path]
ROOT = Path(__file__).resolve().parents[2]

GOOD = Run("good", {"q1": [("d1", 3.0), ("d2", 2.0)], "q2": [("d2", 1.0)]})
WORSE = Run("worse one", {"q1": [("d4", 3.0), ("d1", 2.0)], "q3": [("d1", 1.0)]})


def test_the_table_counts_every_judged_question_and_tests_against_the_baseline(
    make_set: MakeSet, tmp_path: Path
) -> None:
    table = evaluate_runs(BeirSet.read(make_set()), [GOOD, WORSE], tmp_path / "out", baseline="good")
    assert table.row("good").values["nDCG@10"].value == 1.0
    # q1: DCG = 2/log2(3), ideal = 2 + 1/log2(3); q2 is missing
    expected = (2 / np.log2(3)) / (2 + 1 / np.log2(3)) / 2
    assert table.row("worse one").values["nDCG@10"].value == pytest.approx(expected)
    assert table.row("worse one").n == 2
    assert set(table.row("worse one").p) == {"nDCG@10", "R@100", "MAP", "MRR"}
    assert "worse one: 1 of 2 judged questions have no results and score 0." in table.notes
    assert "worse one: 1 questions of the run are not judged in this split and are ignored." in table.notes


def test_the_files_hold_runs_scores_table_and_origin(make_set: MakeSet, tmp_path: Path) -> None:
    out = tmp_path / "out"
    table = evaluate_runs(BeirSet.read(make_set()), [GOOD, WORSE], out, record={"encoder": "53aa", "seeds": {"a": 1}})
    assert sorted(file.name for file in out.iterdir()) == [
        "good.trec", "manifest.json", "metrics.json", "per_question.jsonl", "worse_one.trec",
    ]  # fmt: skip
    assert Run.read(out / "good.trec").results == GOOD.results
    assert json.loads((out / "metrics.json").read_text(encoding="utf-8")) == table.to_dict()
    origin = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert origin["encoder"] == "53aa"
    assert origin["seeds"] == {"a": 1}
    assert (origin["data"]["name"], origin["data"]["split"], origin["data"]["n"]) == ("small", "test", 2)
    lines = [record for _, record in json_lines(out / "per_question.jsonl")]
    assert [(line["run"], line["question"], line["results"]) for line in lines] == [
        ("good", "q1", 2), ("good", "q2", 1), ("worse one", "q1", 2), ("worse one", "q2", 0),
    ]  # fmt: skip
    assert lines[3]["nDCG@10"] == 0.0


def test_costs_stand_in_the_table_and_routes_in_a_file(make_set: MakeSet, tmp_path: Path) -> None:
    routes = {"good": [Routed("q1", frozenset({"a"}), ("a",), {"a": 1.0})]}
    table = evaluate_runs(
        BeirSet.read(make_set()), [GOOD, WORSE], tmp_path, costs={"good": {"CPU ms": 3.5}}, routing=routes
    )
    assert (table.row("good").cost, table.row("worse one").cost) == ({"CPU ms": 3.5}, {})
    assert read_routing(tmp_path / "routing.jsonl") == routes


def test_evaluating_again_from_the_written_files_gives_the_same_bytes(make_set: MakeSet, tmp_path: Path) -> None:
    beir_set, out = BeirSet.read(make_set()), tmp_path / "out"
    tied = Run("tied", {"q1": [("d1", 1.0), ("d2", 1.0), ("d3", 1.0)]})
    evaluate_runs(beir_set, [tied], out)
    before = {file.name: file.read_bytes() for file in out.iterdir() if file.name != "manifest.json"}
    evaluate_runs(beir_set, [Run.read(out / "tied.trec")], out)
    assert {file.name: file.read_bytes() for file in out.iterdir() if file.name != "manifest.json"} == before


def test_a_run_for_another_set_is_refused_and_nothing_is_written(make_set: MakeSet, tmp_path: Path) -> None:
    other = Run("other", {"x1": [("d1", 1.0)]})
    with pytest.raises(InputError, match="no results for any of the 2 questions judged in small"):
        evaluate_runs(BeirSet.read(make_set()), [other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_that_skipped_everything_scores_zero(make_set: MakeSet, tmp_path: Path) -> None:
    table = evaluate_runs(BeirSet.read(make_set()), [Run("silent", {})], tmp_path / "out")
    assert table.row("silent").values["nDCG@10"].value == 0.0


def test_no_run_and_two_runs_of_one_file_name_are_refused(make_set: MakeSet, tmp_path: Path) -> None:
    beir_set = BeirSet.read(make_set())
    with pytest.raises(InputError, match="no run"):
        evaluate_runs(beir_set, [], tmp_path)
    with pytest.raises(InputError, match="same file"):
        evaluate_runs(beir_set, [Run("a b", {}), Run("a/b", {})], tmp_path)


def test_a_stored_run_is_evaluated_without_heavy_imports(make_set: MakeSet, tmp_path: Path) -> None:
    folder = make_set()
    GOOD.write(tmp_path / "good.trec")
    code = """
import sys
from evaluation.beir import BeirSet
from evaluation.experiment import evaluate_runs
from evaluation.routing import Routed, read_routing
from evaluation.runs import Run
table = evaluate_runs(BeirSet.read(sys.argv[1]), [Run.read(sys.argv[2])], sys.argv[3])
assert table.row("good").values["nDCG@10"].value == 1.0
heavy = {"torch", "transformers", "sentence_transformers", "llama_index", "scipy", "pandas", "pyarrow", "qdrant_client"}
sys.exit(", ".join(sorted(heavy & set(sys.modules))) or 0)
"""
    arguments = [sys.executable, "-c", code, str(folder), str(tmp_path / "good.trec"), str(tmp_path / "out")]
    result = subprocess.run(
        arguments, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert (result.returncode, result.stderr) == (0, "")


def bm25(folder: Path, k1: float = 0.9, b: float = 0.4) -> Callable[[list[str]], list[list[tuple[str, float]]]]:
    """Plain BM25 (Robertson and Zaragoza, 2009; idf as in Lucene) without stemming or stop words."""

    def words(text: str) -> list[str]:
        return re.findall(r"\w+", text.lower())

    ids: list[str] = []
    lengths: list[int] = []
    postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for _, record in json_lines(folder / "corpus.jsonl"):
        tokens = words(f"{record['title']} {record['text']}")
        for word, count in Counter(tokens).items():
            postings[word].append((len(ids), count))
        ids.append(record["_id"])
        lengths.append(len(tokens))
    norm = k1 * (1 - b + b * np.array(lengths) / np.mean(lengths))

    def one(text: str) -> list[tuple[str, float]]:
        scores = np.zeros(len(ids))
        for word in words(text):
            if word in postings:
                rows, counts = np.array(postings[word]).T
                idf = np.log(1 + (len(ids) - len(rows) + 0.5) / (len(rows) + 0.5))
                scores[rows] += idf * counts / (counts + norm[rows])
        return [(ids[row], float(scores[row])) for row in np.argsort(-scores, kind="stable")[:100]]

    return lambda texts: [one(text) for text in texts]


@pytest.mark.slow
@pytest.mark.benchmark
def test_bm25_reaches_its_published_score_on_scifact(data_folder: Path, tmp_path: Path) -> None:
    beir_set = BeirSet.read(data_folder / "beir" / "scifact")
    run = retrieve_run("bm25", beir_set.questions, bm25(beir_set.path))
    row = evaluate_runs(beir_set, [run], tmp_path).row("bm25")
    assert row.n == 300
    assert row.values["nDCG@10"].value == pytest.approx(0.665, abs=0.01)  # .6617 published without stemming
    assert row.values["nDCG@10"].low < 0.65
    assert row.values["nDCG@10"].high > 0.68
