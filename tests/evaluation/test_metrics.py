from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.metrics import score_run
from evaluation.runs import Run
from indexes.errors import InputError

Qrels = Mapping[str, Mapping[str, int]]

ALL = ("nDCG@10", "R@100", "MAP", "MRR@10", "P@5", "Success@1", "nDCG", "MRR")
DOCUMENTS = [f"d{n}" for n in range(15)]
QUESTIONS = [f"q{n}" for n in range(4)]
QRELS = st.dictionaries(
    st.sampled_from(QUESTIONS),
    st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(-1, 3), min_size=1, max_size=6),
    min_size=1,
)
RESULTS = st.dictionaries(
    st.sampled_from([*QUESTIONS, "unjudged"]),
    st.lists(st.tuples(st.sampled_from(DOCUMENTS), st.sampled_from([0.0, 0.5, 0.5 + 1e-12, 1.0, -2.0])), max_size=20),
)


def reference(ranking: list[str], grades: Mapping[str, int], measure: str) -> float:
    """The measures from their definitions, sharing no code with what is tested."""
    gains = [max(grades.get(document, 0), 0) for document in ranking]
    relevant = sum(grade > 0 for grade in grades.values())
    if relevant == 0:
        return 0.0
    if measure == "nDCG@10":
        ideal = sorted((max(grade, 0) for grade in grades.values()), reverse=True)[:10]
        discounted = [sum(g / math.log2(rank + 2) for rank, g in enumerate(gs)) for gs in (gains[:10], ideal)]
        return discounted[0] / discounted[1]
    if measure == "R@100":
        return sum(gain > 0 for gain in gains[:100]) / relevant
    if measure == "MRR@10":
        return next((1 / rank for rank, gain in enumerate(gains[:10], start=1) if gain > 0), 0.0)
    assert measure == "MAP"
    hits = [rank for rank, gain in enumerate(gains, start=1) if gain > 0]
    return sum(found / rank for found, rank in enumerate(hits, start=1)) / relevant


def test_ndcg_of_a_small_case_worked_by_hand() -> None:
    run = Run("r", {"q": [("wrong", 4.0), ("good", 3.0), ("best", 2.0)]})
    scores = score_run(run, {"q": {"best": 2, "good": 1, "missed": 1}}, ["nDCG@10", "R@100", "MRR@10", "MAP"])
    # DCG = 1/log2(3) + 2/log2(4) = 0.63093 + 1; ideal = 2 + 1/log2(3) + 1/log2(4) = 3.13093
    assert scores.means["nDCG@10"] == pytest.approx(0.520909, abs=1e-6)
    assert scores.means["R@100"] == pytest.approx(2 / 3)
    assert scores.means["MRR@10"] == pytest.approx(1 / 2)
    assert scores.means["MAP"] == pytest.approx((1 / 2 + 2 / 3) / 3)


def test_the_cutoff_is_respected() -> None:
    hits = [(f"d{n:03}", -float(n)) for n in range(120)]
    inside = score_run(Run("r", {"q": hits}), {"q": {"d009": 1, "d099": 1}}, ["nDCG@10", "R@100", "MRR@10"]).means
    outside = score_run(Run("r", {"q": hits}), {"q": {"d010": 1, "d100": 1}}, ["nDCG@10", "R@100", "MRR@10"]).means
    assert inside["MRR@10"] == pytest.approx(0.1)
    assert inside["R@100"] == 1.0
    assert outside["R@100"] == 0.5
    assert outside["nDCG@10"] == 0.0
    assert outside["MRR@10"] == 0.0


def test_a_question_without_results_lowers_the_mean() -> None:
    qrels = {"q1": {"d1": 1}, "q2": {"d1": 1}}
    full = score_run(Run("r", {"q1": [("d1", 1.0)], "q2": [("d1", 1.0)]}), qrels)
    skipped = score_run(Run("r", {"q1": [("d1", 1.0)]}), qrels)
    empty = score_run(Run("r", {"q1": [("d1", 1.0)], "q2": []}), qrels)
    assert full.means == {"nDCG@10": 1.0, "R@100": 1.0, "MAP": 1.0, "MRR": 1.0}
    assert skipped.means == empty.means == {"nDCG@10": 0.5, "R@100": 0.5, "MAP": 0.5, "MRR": 0.5}
    assert skipped.questions == ("q1", "q2")
    assert skipped.values["nDCG@10"].tolist() == [1.0, 0.0]


def test_a_run_without_anything_scores_zero() -> None:
    assert score_run(Run("r", {}), {"q1": {"d1": 1}}, ALL).means == dict.fromkeys(ALL, 0.0)


def test_an_id_that_stands_twice_counts_once() -> None:
    twice = Run("r", {"q": [("d1", 2.0), ("d1", 1.5), ("d2", 1.0)]})
    assert set(score_run(twice, {"q": {"d1": 1, "d2": 1}}).means.values()) == {1.0}


def test_all_measures_see_ties_in_order_of_id() -> None:
    run = Run("r", {"q": [("b", 1.0), ("a", 1.0)]})
    for measure in ("nDCG@10", "MAP", "MRR@10", "MRR", "P@1", "Success@1"):
        assert score_run(run, {"q": {"a": 1}}, [measure]).means[measure] == 1.0, measure


def test_scores_that_only_differ_in_double_precision_keep_their_order() -> None:
    run = Run("r", {"q": [("a", 1.0), ("b", 1.0 + 1e-12)]})
    assert score_run(run, {"q": {"b": 1}}).means["nDCG@10"] == 1.0


@given(QRELS, RESULTS)
def test_measures_agree_with_their_definitions(qrels: Qrels, results: dict[str, list[tuple[str, float]]]) -> None:
    run = Run("r", results)
    measures = ("nDCG@10", "R@100", "MAP", "MRR@10")
    scores = score_run(run, qrels, measures)
    assert scores.questions == tuple(qrels)
    for position, (question, grades) in enumerate(qrels.items()):
        best: dict[str, float] = {}
        for document, score in results.get(question, []):
            best[document] = max(score, best.get(document, -math.inf))
        ranking = sorted(best, key=lambda document: (-best[document], document))
        for measure in measures:
            assert scores.values[measure][position] == pytest.approx(reference(ranking, grades, measure)), measure


@given(QRELS, RESULTS)
def test_every_measure_stays_between_zero_and_one(qrels: Qrels, results: dict[str, list[tuple[str, float]]]) -> None:
    for values in score_run(Run("r", results), qrels, ALL).values.values():
        assert len(values) == len(qrels)
        assert ((values >= 0) & (values <= 1)).all()


@given(QRELS, RESULTS, st.randoms(use_true_random=False))
def test_the_order_of_dicts_and_lists_does_not_matter(
    qrels: Qrels, results: dict[str, list[tuple[str, float]]], random: object
) -> None:
    shuffle = random.shuffle  # type: ignore[attr-defined]
    questions, shuffled = list(qrels), {}
    shuffle(questions)
    for question in sorted(results, reverse=True):
        hits = list(results[question])
        shuffle(hits)
        shuffled[question] = hits
    one = score_run(Run("r", results), qrels)
    two = score_run(Run("r", shuffled), {question: qrels[question] for question in questions})
    for measure in one.values:
        by_question = dict(zip(two.questions, two.values[measure], strict=True))
        assert [by_question[question] for question in one.questions] == one.values[measure].tolist()


@given(QRELS, RESULTS)
def test_dropping_a_question_from_the_run_never_raises_a_mean(
    qrels: Qrels, results: dict[str, list[tuple[str, float]]]
) -> None:
    dropped = {question: hits for question, hits in results.items() if question != "q0"}
    before, after = score_run(Run("r", results), qrels).means, score_run(Run("r", dropped), qrels).means
    assert all(after[measure] <= before[measure] for measure in before)


@pytest.mark.parametrize("name", ["NDCG@10", "R", "ndcg", "R@0", "recall@5", "nDCG@10; x", "", "AP(rel=2)@10"])
def test_an_unknown_measure_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="There is no measure"):
        score_run(Run("r", {}), {"q": {"d": 1}}, [name])


def test_a_misspelt_measure_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"Did you mean nDCG@10\?"):
        score_run(Run("r", {}), {"q": {"d": 1}}, ["NDCG@10"])


def test_no_judged_question_is_an_error() -> None:
    with pytest.raises(InputError, match="no judged questions"):
        score_run(Run("r", {}), {})
