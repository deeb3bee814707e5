from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.citations import CitedSentence, alce_score, citation_score, compare_citations
from indexes.errors import InputError

numbers = st.sets(st.integers(1, 8))


def words_entail(premise: str, hypothesis: str) -> bool:
    return set(hypothesis.split()) <= set(premise.split())


def test_half_of_the_gold_cited_with_one_wrong_citation() -> None:
    score = citation_score([1, 7], [1, 2])
    assert (score.precision, score.recall, score.f1) == (0.5, 0.5, 0.5)


def test_an_answer_without_citations_scores_nothing() -> None:
    score = citation_score([], [1])
    assert (score.precision, score.recall, score.f1) == (0.0, 0.0, 0.0)


def test_a_passage_cited_twice_counts_once() -> None:
    assert citation_score([3, 3], [3, 4]).precision == 1.0
    assert citation_score([3, 3], [3, 4]).recall == 0.5


def test_an_answer_without_gold_passages_is_refused() -> None:
    with pytest.raises(InputError, match="no gold"):
        citation_score([1], [])


@given(numbers, st.sets(st.integers(1, 8), min_size=1))
def test_f1_is_that_of_the_two_sets(cited: set[int], gold: set[int]) -> None:
    score = citation_score(cited, gold)
    assert score.f1 == pytest.approx(2 * len(cited & gold) / (len(cited) + len(gold)))


def test_a_table_averages_over_answers_and_tests_against_the_baseline() -> None:
    gold = [{1, 2}] * 20
    systems = {"marks": [{1}] * 10 + [set()] * 10, "ours": [{1, 2}] * 20}
    table = compare_citations("t", systems, gold, baseline="marks", resamples=200)
    assert table.row("marks").values["precision"].value == 0.5
    assert table.row("marks").values["recall"].value == 0.25
    assert table.row("ours").values["F1"].value == 1.0
    assert table.row("ours").difference["F1"].value == pytest.approx(1 - 1 / 3)
    assert table.row("ours").p["F1"] < 0.05


def test_systems_must_have_cited_for_every_answer() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        compare_citations("t", {"ours": [{1}]}, [{1}, {2}])


def test_alce_needs_both_passages_of_a_sentence_that_needs_two() -> None:
    score = alce_score([CitedSentence("a b", ("a x", "b y"))], words_entail)
    assert (score.precision, score.recall) == (1.0, 1.0)


def test_alce_counts_a_citation_as_imprecise_where_the_others_suffice_without_it() -> None:
    score = alce_score([CitedSentence("a b", ("a b", "c"))], words_entail)
    assert (score.precision, score.recall) == (0.5, 1.0)


def test_alce_gives_a_sentence_that_is_not_entailed_no_precise_citation() -> None:
    sentences = [CitedSentence("a b", ("a",)), CitedSentence("c", ("c",)), CitedSentence("d", ())]
    score = alce_score(sentences, words_entail)
    assert score.precision == pytest.approx(1 / 2)
    assert score.recall == pytest.approx(1 / 3)
