from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from generators.decoding.drafts import Draft
from generators.decoding.uncertainty import (
    MEASURES,
    Threshold,
    exact_budget,
    improbability,
    margin,
    max_entropy,
    mean_entropy,
    safe_budget,
    uncertainties,
)
from indexes.errors import InputError


def draft(gaps: list[float], entropies: list[float] | None = None, text: str = "Paris") -> Draft:
    entropies = entropies or [0.0] * len(gaps)
    log_probs = [-1.0 / (1 + gap) for gap in gaps]
    return Draft(text, (1,) * len(gaps), *(np.array(v, np.float32) for v in (log_probs, entropies, gaps)))


def test_the_margin_is_targs() -> None:
    assert margin(draft([0.0, 1.0, 3.0])) == pytest.approx((1 + math.exp(-1) + math.exp(-3)) / 3)
    assert margin(draft([2.0]), beta=4.0) == pytest.approx(math.exp(-0.5))
    assert margin(draft([0.0, 0.0])) == 1


def test_the_other_measures() -> None:
    one = draft([0.0, 1.0], [0.25, 2.0])
    assert mean_entropy(one) == pytest.approx(1.125)
    assert max_entropy(one) == 2.0
    assert improbability(one) == pytest.approx(1 - math.exp(-1))


@pytest.mark.parametrize("measure", MEASURES)
def test_every_measure_calls_a_flat_distribution_less_sure_than_a_peaked_one(measure: str) -> None:
    flat, peaked = draft([0.1, 0.1], [3.0, 3.0]), draft([9.0, 9.0], [0.1, 0.1])
    low, high = uncertainties([peaked, flat], measure)  # type: ignore[arg-type]
    assert low < high


def test_the_safe_budget_is_the_papers() -> None:
    assert safe_budget(0.3, 1000, 0.05) == pytest.approx(0.3 - math.sqrt(math.log(40) / 2000))
    assert safe_budget(0.02, 100) == 0


@given(st.integers(1, 400), st.floats(0.0, 0.9))
def test_the_exact_budget_is_the_most_that_the_binomial_tail_allows(n: int, budget: float) -> None:
    k = round(exact_budget(budget, n, 0.05) * n)
    assert k == 0 or binom.cdf(k - 1, n, budget) <= 0.05 + 1e-9
    assert k == n or binom.cdf(k, n, budget) > 0.05 - 1e-9
    assert exact_budget(budget, n) >= safe_budget(budget, n)


def test_the_exact_budget_stands_where_the_probability_of_no_success_is_too_small_for_a_float() -> None:
    assert exact_budget(0.9, 330) < 0.9
    assert exact_budget(0.1, 20_000) == pytest.approx(0.1, abs=0.005)


def test_the_budget_holds_on_further_questions_nearly_always() -> None:
    generator = np.random.default_rng(0)
    kept = [Threshold.of(generator.random(150), 0.1).value <= 0.1 for _ in range(400)]
    assert np.mean(kept) >= 0.95 - 0.033
    assert np.mean([Threshold.of(generator.random(150), 0.1).value for _ in range(100)]) > 0.03


def test_a_threshold_lets_no_more_than_its_share_pass() -> None:
    values = np.arange(200) / 200
    for budget in (0.0, 0.02, 0.1, 0.5):
        threshold = Threshold.of(values, budget)
        assert (values <= threshold.value).mean() == exact_budget(budget, 200)
    loose = Threshold.of(values, 0.5, bound=safe_budget)
    assert (values <= loose.value).mean() == pytest.approx(safe_budget(0.5, 200), abs=1 / 200)


def test_equal_uncertainties_pass_together_or_not_at_all() -> None:
    assert Threshold.of([0.5] * 300, 0.2).value == -math.inf
    assert Threshold.of([0.1] * 10 + [0.5] * 290, 0.2).value == 0.1


def test_what_is_known_is_at_most_as_unsure_and_says_something() -> None:
    threshold = Threshold(margin(draft([2.0])))
    assert threshold.knows(draft([2.0]))
    assert not threshold.knows(draft([1.9]))
    assert not threshold.knows(draft([9.0], text=" "))
    assert not Threshold(-math.inf).knows(draft([90.0]))


def test_other_measures_have_thresholds_of_their_own() -> None:
    assert Threshold(1.0, "max entropy").knows(draft([0.0], [0.9]))
    assert not Threshold(1.0, "max entropy").knows(draft([9.0], [1.1]))


@pytest.mark.parametrize("budget", [-0.1, 1.0, math.nan])
def test_a_budget_that_is_no_share_is_refused(budget: float) -> None:
    with pytest.raises(InputError, match="The share that may be skipped"):
        Threshold.of([0.1, 0.2], budget)


def test_a_threshold_needs_questions() -> None:
    with pytest.raises(InputError, match="no questions"):
        Threshold.of([], 0.1)
