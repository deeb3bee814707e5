from __future__ import annotations

import math

import numpy as np
import pytest

from generators.verdicts.confidence import CONFIDENCE, Confidence, Weight, evidence_signals, fit, log_odds
from indexes.errors import InputError
from indexes.passage import Document, Passage
from retrievers.evidence import Evidence

WEAK, STRONG = (
    Evidence(number, Passage.of(Document(text), 0, len(text)), "fruit", probability, {"coverage": coverage})
    for number, (text, probability, coverage) in enumerate(
        [("Plums are blue.", 0.2, 0.9), ("Apples are red.", 0.7, 0.4)], start=1
    )
)


def test_the_probability_is_a_logistic_function_of_the_signals() -> None:
    confidence = Confidence(0.5, {"a": Weight(2.0, 1.0), "b": Weight(-1.0, 0.0)})
    assert confidence.probability({"a": 1.0, "b": 0.0}) == pytest.approx(1 / (1 + math.exp(-0.5)))
    assert confidence.probability({"a": 2.0, "b": 1.0}) == pytest.approx(1 / (1 + math.exp(-1.5)))


def test_what_was_not_measured_counts_as_typical_and_what_has_no_weight_is_not_read() -> None:
    confidence = Confidence(0.5, {"a": Weight(2.0, 1.0)})
    typical = confidence.probability({"a": 1.0})
    assert confidence.probability({}) == confidence.probability({"a": math.nan, "c": 9.0}) == typical


def test_odds_beyond_measure_give_no_overflow() -> None:
    confidence = Confidence(0.0, {"a": Weight(1.0, 0.0)})
    assert 0 < confidence.probability({"a": -1e9}) < 1e-4
    assert 1 - 1e-4 < confidence.probability({"a": 1e9}) < 1


def test_the_default_rises_with_the_relevance() -> None:
    found = [CONFIDENCE.probability({"relevance": log_odds(p)}) for p in (0.01, 0.1, 0.5, 0.9)]
    assert found == sorted(found)
    assert found[-1] - found[0] > 0.3


def test_log_odds_of_the_extremes_are_finite() -> None:
    assert log_odds(0.5) == 0
    assert log_odds(0.0) == -log_odds(1.0) == -12


def test_the_best_evidence_speaks_and_none_says_the_least() -> None:
    assert evidence_signals([WEAK, STRONG]) == {"relevance": log_odds(0.7), "coverage": 0.9}
    assert evidence_signals([]) == {"relevance": -12, "coverage": 0.0}


def test_fitting_finds_what_separates_and_agrees_with_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    right = generator.random(300) < 0.5
    telling, noise = generator.normal(size=300) + 2 * right, generator.normal(size=300) * 40 + 7
    rows = [{"telling": t, "noise": n, "unused": 1.0} for t, n in zip(telling, noise, strict=True)]
    found = fit(rows, right, ("telling", "noise"))
    values = np.stack([telling, noise], axis=1)
    spread = values.std(axis=0)
    reference = LogisticRegression(C=1.0).fit((values - values.mean(axis=0)) / spread, right)
    assert found.bias == pytest.approx(reference.intercept_[0], abs=1e-2)
    assert [found.weights[n].by for n in ("telling", "noise")] == pytest.approx(reference.coef_[0] / spread, abs=1e-2)
    assert found.weights["telling"].typical == pytest.approx(telling.mean())
    assert set(found.weights) == {"telling", "noise"}


def test_a_question_that_counts_twice_is_as_good_as_two() -> None:
    rows = [{"a": float(value)} for value in (0, 1, 2, 3, 1)]
    right = [False, True, False, True, True]
    doubled = fit([*rows, rows[1]], [*right, right[1]], ("a",))
    weighted = fit(rows, right, ("a",), [1, 2, 1, 1, 1])
    for value in (0.0, 1.5, 3.0):  # the ridge is measured in standard deviations, which the copies move a little
        assert weighted.probability({"a": value}) == pytest.approx(doubled.probability({"a": value}), abs=0.03)


def test_a_signal_that_some_questions_lack_can_be_fitted() -> None:
    rows = [{"a": 1.0}, {"a": 2.0}, {}, {"a": math.nan}, {"a": 0.0}]
    found = fit(rows, [True, True, True, False, False], ("a",))
    assert found.weights["a"].by > 0
    assert found.weights["a"].typical == 1.0


def test_questions_of_one_kind_are_an_error() -> None:
    with pytest.raises(InputError, match="All 2 questions are of one kind"):
        fit([{"a": 1.0}, {"a": 2.0}], [True, True], ("a",))
