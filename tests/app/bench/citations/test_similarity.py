from __future__ import annotations

from app.bench.citations.similarity import Cuts, similar, tune


def test_the_nearest_passages_within_the_lag_are_cited() -> None:
    row = [0.2, 0.9, 0.85, 0.5]
    assert similar([row], Cuts(3, 0.1)) == [2, 3]
    assert similar([row], Cuts(1, 0.1)) == [2]
    assert similar([row], Cuts(3, 0.5)) == [2, 3, 4]


def test_sentences_add_up_and_no_sentence_cites_nothing() -> None:
    assert similar([[0.9, 0.1], [0.1, 0.9]], Cuts(1, 0.0)) == [1, 2]
    assert similar([], Cuts(2, 0.1)) == []


def test_tuning_finds_the_lag_that_separates_gold_from_the_rest() -> None:
    cosines = [[[0.9, 0.75, 0.5, 0.4]], [[0.3, 0.8, 0.66, 0.2]]]
    cuts = tune(cosines, [frozenset({1, 2}), frozenset({2, 3})])
    assert [similar(each, cuts) for each in cosines] == [[1, 2], [2, 3]]
