from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from evaluation.runs import Run, retrieve_run
from indexes.errors import InputError

IDS = st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n"), min_size=1, max_size=6)
SCORES = st.one_of(
    st.sampled_from([0.0, 1.0, 1.0 + 1e-12, -0.0, 0.3]), st.floats(-1e30, 1e30, allow_nan=False, allow_infinity=False)
)
RESULTS = st.dictionaries(IDS, st.lists(st.tuples(IDS, SCORES), min_size=1, max_size=8), max_size=4)


def order(run: Run) -> dict[str, list[str]]:
    return {question: [document for document, _ in hits] for question, hits in run.results.items()}


def test_results_are_ordered_by_score_then_id() -> None:
    run = Run("r", {"q": [("b", 1.0), ("c", 2.0), ("a", 1.0)]})
    assert run.results["q"] == [("c", 2.0), ("a", 1.0), ("b", 1.0)]


def test_passages_of_one_document_collapse_to_the_best_even_at_zero_and_below() -> None:
    run = Run("r", {"q": [("a", -1.0), ("b", -0.5), ("a", 0.0)]})
    assert run.results["q"] == [("a", 0.0), ("b", -0.5)]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), 1e39])
def test_a_score_that_is_not_finite_is_refused_with_its_place(score: float) -> None:
    with pytest.raises(InputError, match="Run r, question q: document d has the score"):
        Run("r", {"q": [("d", score)]})


def test_the_six_columns_are_written_in_order_of_question(tmp_path: Path) -> None:
    Run("bm25", {"q2": [("d1", 0.25)], "q1": [("d2", 1.5), ("d1", 2.0)]}).write(tmp_path / "a" / "r.trec")
    assert (tmp_path / "a" / "r.trec").read_text(encoding="utf-8").splitlines() == [
        "q1 Q0 d1 1 2.0 bm25",
        "q1 Q0 d2 2 1.5 bm25",
        "q2 Q0 d1 1 0.25 bm25",
    ]


def test_an_id_with_a_space_makes_the_file_tab_separated(tmp_path: Path) -> None:
    run = Run("my run", {"q": [("a file.txt#0-9", 2.0), ("b", 1.0)]})
    run.write(tmp_path / "r.trec")
    assert (tmp_path / "r.trec").read_text(encoding="utf-8").startswith("q\tQ0\ta file.txt#0-9\t1\t2.0\tmy run\n")
    assert Run.read(tmp_path / "r.trec").results == run.results


@pytest.mark.parametrize("bad", ["", "a\tb", "a\nb"])
def test_an_id_that_would_break_a_line_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        Run("r", {"q": [(bad, 1.0)]}).write(tmp_path / "r.trec")
    assert list(tmp_path.iterdir()) == []


def test_reading_ignores_the_rank_and_collapses_and_orders(tmp_path: Path) -> None:
    file = tmp_path / "anserini.txt"
    file.write_text("q1 Q0 d1 1 1.0 x\nq2\tQ0  d9 5 3 x\n\nq1 Q0 d2 2 7e0 x\nq1 Q0 d1 3 2 x\n", encoding="utf-8")
    run = Run.read(file)
    assert run.name == "anserini"
    assert run.results == {"q1": [("d2", 7.0), ("d1", 2.0)], "q2": [("d9", 3.0)]}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("q1 Q0 d1 1 1.0", "5 columns instead of 6"),
        ("q1 Q0 a doc 1 1.0 x", "7 columns instead of 6"),
        ("q1 Q0 d1 1 high x", "'high' is not a number"),
        ("q1 Q0 d1 1 nan x", "'nan' is not a finite number"),
        ("q1\tQ0\t\t1\t1.0\tx", "an empty id"),
    ],
)
def test_a_malformed_line_is_reported_with_its_number(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "r.trec"
    file.write_text(f"q1 Q0 d0 1 2.0 x\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=problem) as caught:
        Run.read(file)
    assert "r.trec:2" in caught.value.problem


@given(RESULTS)
def test_writing_and_reading_keeps_the_order_and_the_scores(
    tmp_path_factory: pytest.TempPathFactory, results: dict[str, list[tuple[str, float]]]
) -> None:
    file = tmp_path_factory.mktemp("run") / "r.trec"
    run = Run("r", results)
    run.write(file)
    back = Run.read(file)
    assert order(back) == order(run)
    for question, hits in run.results.items():
        np.testing.assert_allclose(
            [score for _, score in back.results[question]], [score for _, score in hits], rtol=1e-5, atol=1e-40
        )
    back.write(file)
    assert Run.read(file) == back


@given(st.lists(st.tuples(IDS, SCORES), min_size=1, max_size=8))
def test_the_written_scores_fall_strictly_in_single_precision(hits: list[tuple[str, float]]) -> None:
    run = Run("r", {"q": hits})
    written = np.array([float(line.rsplit(maxsplit=2)[-2]) for line in run._lines()], dtype=np.float32)
    assert (np.diff(written) < 0).all()


def test_scores_without_ties_are_written_exactly(tmp_path: Path) -> None:
    run = Run("r", {"q": [("a", 0.1 + 0.2), ("b", 1 / 3 - 0.1), ("c", -1e-17)]})
    run.write(tmp_path / "r.trec")
    assert Run.read(tmp_path / "r.trec").results == run.results


def test_trec_eval_sees_our_order_in_a_written_file_with_ties(tmp_path: Path) -> None:
    run = Run("r", {"q": [("a", 1.0), ("b", 1.0), ("c", 1.0)]})
    qrels = {"q": {"a": 1}}
    judge = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"})
    assert judge.evaluate({"q": dict(run.results["q"])})["q"]["recip_rank"] == pytest.approx(1 / 3)  # ids descending
    run.write(tmp_path / "r.trec")
    written = dict(Run.read(tmp_path / "r.trec").results["q"])
    assert judge.evaluate({"q": written})["q"]["recip_rank"] == 1.0


def test_retrieval_asks_in_batches_and_keeps_the_best_documents_to_the_depth() -> None:
    asked: list[list[str]] = []
    progress: list[tuple[int, int]] = []

    def search(texts: list[str]) -> list[list[tuple[str, float]]]:
        asked.append(texts)
        return [[("d1", 0.1), ("d2", 0.5), ("d1", 0.9), ("d3", 0.2)] for _ in texts]

    questions = {f"q{n}": f"text {n}" for n in range(5)}
    run = retrieve_run("r", questions, search, 2, lambda done, total: progress.append((done, total)), batch_size=2)
    assert asked == [["text 0", "text 1"], ["text 2", "text 3"], ["text 4"]]
    assert progress == [(2, 5), (4, 5), (5, 5)]
    assert run.results == {question: [("d1", 0.9), ("d2", 0.5)] for question in questions}


def test_the_document_that_is_the_question_can_be_dropped() -> None:
    def search(texts: list[str]) -> list[list[tuple[str, float]]]:
        return [[("q1", 1.0), ("d1", 0.5)] for _ in texts]

    assert order(retrieve_run("r", {"q1": "x"}, search, 1)) == {"q1": ["q1"]}
    assert order(retrieve_run("r", {"q1": "x"}, search, 1, drop_same_id=True)) == {"q1": ["d1"]}


def test_a_search_that_loses_a_question_is_a_defect() -> None:
    with pytest.raises(ValueError, match="1 result lists for 2 questions"):
        retrieve_run("r", {"a": "x", "b": "y"}, lambda texts: [[]])


def test_a_depth_of_zero_is_refused() -> None:
    with pytest.raises(InputError, match="The depth is 0"):
        retrieve_run("r", {"a": "x"}, lambda texts: [[]], 0)
