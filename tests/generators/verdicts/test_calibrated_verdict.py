from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from generators.verdicts.calibrated_verdict import (
    FILE,
    CalibratedVerdict,
    Tried,
    binomial_tail,
    curve,
    fewest,
    fit,
    least_risk,
)
from indexes.errors import InputError, SettingsError


def drawn(count: int, seed: int) -> list[Tried]:
    """Answers whose chance to be right is their confidence."""
    generator = np.random.default_rng(seed)
    confidence = generator.random(count)
    right = generator.random(count) < confidence
    return [Tried(float(c), True, bool(r)) for c, r in zip(confidence, right, strict=True)]


def true_risk(threshold: float) -> float:
    """Share of wrong answers at and above it: confidence is uniform, and a wrong answer's chance is 1 − confidence."""
    return (1 - threshold) / 2


def promised(seed: int) -> float:
    """The threshold for a risk of 20 %; above all confidences where none can be promised."""
    try:
        return fit(drawn(300, seed), risk=0.2, certainty=0.9).confidence
    except InputError:
        return 1.0


def test_the_promise_holds_as_often_as_stated_and_is_not_idle() -> None:
    found = [promised(seed) for seed in range(200)]
    broken = [true_risk(threshold) > 0.2 for threshold in found]
    assert np.mean(broken) <= 0.1
    assert np.mean([threshold < 1 for threshold in found]) > 0.7
    assert np.median(found) < 0.85  # the lowest that is allowed is 0.6


def test_a_lower_risk_is_promised_at_a_higher_confidence() -> None:
    tried = drawn(2000, 0)
    thresholds = [fit(tried, risk, 0.9).confidence for risk in (0.1, 0.2, 0.3)]
    assert thresholds == sorted(thresholds, reverse=True)
    assert thresholds[0] > thresholds[-1]


def test_what_other_rules_refuse_is_neither_answered_nor_wrong() -> None:
    refused = [Tried(0.99, answered=False, right=False)] * 100
    tried = [Tried(0.5 + i / 1000, True, True) for i in range(100)]
    found = fit([*tried, *refused], risk=0.1, certainty=0.9)
    assert found.confidence == 0.5
    assert found.curve[-1].risk == 0
    assert found.curve[-1].coverage == 0.5
    assert found.questions == 200


def test_the_order_of_the_questions_does_not_matter() -> None:
    tried = drawn(200, 0)
    assert fit(tried, 0.3, 0.9) == fit(tried[::-1], 0.3, 0.9)


def test_equal_confidences_are_answered_or_refused_together() -> None:
    tried = [Tried(0.8, True, True)] * 60 + [Tried(0.6, True, True)] * 10 + [Tried(0.6, True, False)] * 10
    assert fit(tried, 0.1, 0.9).confidence == 0.8


def test_the_curve_counts_the_surest_first() -> None:
    points = curve([Tried(0.9, True, True), Tried(0.5, True, False), Tried(0.5, True, True), Tried(0.7, False, False)])
    assert [(p.confidence, p.coverage, p.risk) for p in points] == [(0.9, 0.25, 0.0), (0.5, 0.75, pytest.approx(1 / 3))]


def test_too_few_questions_are_an_error_that_says_what_can_be_promised() -> None:
    with pytest.raises(InputError) as caught:
        fit(drawn(30, 0), risk=0.1, certainty=0.9)
    assert "30 of 30 questions got an answer" in str(caught.value)
    assert "there must be 44" in str(caught.value)
    assert "a risk of 14% at best" in str(caught.value)


def test_answers_that_are_wrong_too_often_allow_no_promise() -> None:
    tried = [Tried(i / 200, True, i % 2 == 0) for i in range(200)]
    with pytest.raises(InputError, match="of all 200 answers 100 are"):
        fit(tried, risk=0.1, certainty=0.9)


def test_fewest_is_the_number_from_which_no_mistake_is_proof_enough() -> None:
    for risk, certainty in ((0.1, 0.9), (0.05, 0.95), (0.5, 0.5)):
        need = fewest(risk, certainty)
        assert binom.cdf(0, need, risk) <= 1 - certainty + 1e-12
        assert need == 1 or binom.cdf(0, need - 1, risk) > 1 - certainty
        assert least_risk(need, certainty) <= risk + 1e-12
    assert least_risk(0, 0.9) == 1.0


@pytest.mark.parametrize(("risk", "certainty"), [(0.0, 0.9), (1.0, 0.9), (0.1, 0.0), (0.1, 1.0)])
def test_impossible_promises_are_errors(risk: float, certainty: float) -> None:
    with pytest.raises(InputError, match="cannot be promised"):
        fewest(risk, certainty)


@pytest.mark.parametrize(("wrong", "count", "risk"), [(0, 22, 0.1), (3, 50, 0.1), (50, 50, 0.3), (200, 4000, 0.06)])
def test_the_binomial_tail_is_exact(wrong: int, count: int, risk: float) -> None:
    assert binomial_tail(wrong, count, risk) == pytest.approx(float(binom.cdf(wrong, count, risk)), rel=1e-9)


def test_it_is_kept_beside_the_slices_and_removed(tmp_path: Path) -> None:
    found = fit(drawn(200, 0), 0.3, 0.9, model="a model")
    assert CalibratedVerdict.read(tmp_path) is None
    found.write(tmp_path)
    assert CalibratedVerdict.read(tmp_path) == found
    CalibratedVerdict.remove(tmp_path)
    CalibratedVerdict.remove(tmp_path)
    assert CalibratedVerdict.read(tmp_path) is None


@pytest.mark.parametrize("change", [{"format": 2}, {"confidence": 1.5}, {"curve": 3}, {"surplus": 1}])
def test_a_damaged_file_is_an_error_whose_fix_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    fit(drawn(200, 0), 0.3, 0.9).write(tmp_path)
    kept = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**kept, **change}))
    with pytest.raises(SettingsError, match="calibrate --reset"):
        CalibratedVerdict.read(tmp_path)
