from __future__ import annotations

import numpy as np
import pytest

from evaluation.intervals import bootstrap_interval, paired_randomisation, wilson
from evaluation.macro import macro_interval, paired_macro_randomisation
from indexes.errors import InputError


def test_every_set_weighs_the_same_whatever_its_size() -> None:
    interval = macro_interval({"large": np.zeros(1000), "small": [1.0, 1.0]})
    assert interval.value == 0.5
    assert not interval.has_ends  # within each set all questions scored alike


def test_a_macro_average_of_nothing_but_zeros_counts_every_set_as_the_smallest() -> None:
    assert macro_interval({"large": np.zeros(1000), "small": np.zeros(50)}) == wilson(0, 100)
    assert macro_interval({"large": np.ones(1000), "small": np.ones(50)}) == wilson(100, 100)


def test_one_set_gives_nearly_its_own_bootstrap_interval() -> None:
    values = np.random.default_rng(1).random(200)
    macro, plain = macro_interval({"only": values}), bootstrap_interval(values)
    assert macro.value == plain.value
    assert (macro.low, macro.high) == pytest.approx((plain.low, plain.high), abs=0.003)


def test_the_interval_has_the_width_that_independent_sets_predict() -> None:
    draws = np.random.default_rng(2)
    per_set = {"a": draws.normal(0.2, 0.1, 400), "b": draws.normal(0.9, 0.3, 100)}
    interval = macro_interval(per_set, resamples=20_000)
    error = np.sqrt(sum(values.var() / values.size for values in per_set.values())) / 2
    assert (interval.high - interval.low) == pytest.approx(2 * 1.96 * error, rel=0.03)


def test_the_order_of_sets_does_not_matter_but_the_seed_does() -> None:
    draws = np.random.default_rng(3)
    one, two = draws.random(30), draws.random(40)
    assert macro_interval({"a": one, "b": two}) == macro_interval({"b": two, "a": one})
    assert macro_interval({"a": one, "b": two}, seed=1) != macro_interval({"a": one, "b": two}, seed=2)


def test_ninety_five_of_a_hundred_intervals_hold_the_true_mean() -> None:
    draws = np.random.default_rng(4)
    held = 0
    for seed in range(200):
        per_set = {"a": draws.normal(0.3, 1, 60), "b": draws.normal(0.7, 2, 90)}
        interval = macro_interval(per_set, resamples=500, seed=seed)
        held += interval.low <= 0.5 <= interval.high
    assert 0.90 <= held / 200 <= 0.98


def test_the_test_of_one_set_is_the_plain_paired_test() -> None:
    draws = np.random.default_rng(5)
    first, second = draws.random(50), draws.random(50)
    assert paired_macro_randomisation({"s": first}, {"s": second}) == paired_randomisation(first, second)


def test_a_gain_on_a_small_set_counts_though_a_large_one_hides_it_from_the_pooled_test() -> None:
    draws = np.random.default_rng(6)
    noise = draws.normal(0, 0.3, 2000)
    noise -= noise.mean()
    first = {"large": noise, "small": np.full(40, 0.5) + draws.normal(0, 0.05, 40)}
    second = {"large": np.zeros(2000), "small": np.zeros(40)}
    pooled = paired_randomisation(np.concatenate(list(first.values())), np.zeros(2040))
    assert paired_macro_randomisation(first, second) < 0.001 < pooled


def test_gains_and_losses_that_cancel_between_sets_are_no_difference() -> None:
    first = {"a": np.full(50, 0.7), "b": np.full(500, 0.2)}
    second = {"a": np.full(50, 0.6), "b": np.full(500, 0.3)}
    assert paired_macro_randomisation(first, second) > 0.5


def test_p_values_under_the_null_hypothesis_are_uniform() -> None:
    draws = np.random.default_rng(7)
    p = [
        paired_macro_randomisation(
            {"a": draws.normal(0, 1, 20), "b": draws.normal(0, 3, 50)},
            {"a": draws.normal(0, 1, 20), "b": draws.normal(0, 3, 50)},
            resamples=199,
            seed=seed,
        )
        for seed in range(300)
    ]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)


def test_the_test_is_symmetric_and_independent_of_order() -> None:
    draws = np.random.default_rng(8)
    first = {"a": draws.random(20), "b": draws.random(30)}
    second = {"b": draws.random(30), "a": draws.random(20)}
    p = paired_macro_randomisation(first, second)
    assert paired_macro_randomisation(second, first) == p
    assert 0 < p < 1


def test_different_sets_cannot_be_paired() -> None:
    with pytest.raises(InputError, match=r"only one side has: b, c\."):
        paired_macro_randomisation({"a": [1.0], "b": [1.0]}, {"a": [1.0], "c": [1.0]})


def test_different_numbers_of_questions_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="b: 2 scores against 1"):
        paired_macro_randomisation({"a": [1.0], "b": [1.0, 0.0]}, {"a": [1.0], "b": [1.0]})


def test_no_set_an_empty_set_and_a_number_that_is_not_finite_are_errors() -> None:
    for bad in ({}, {"a": []}, {"a": [1.0, float("nan")]}):
        with pytest.raises(InputError):
            macro_interval(bad)
        with pytest.raises(InputError):
            paired_macro_randomisation(bad, bad)
