from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.intervals import BLOCK, bootstrap_interval, digits, holm, paired_randomisation, quartiles, wilson
from indexes.errors import InputError

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def exact_p(first: list[float], second: list[float]) -> float:
    differences = np.subtract(first, second)
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product([1, -1], repeat=len(differences))]
    return float(np.mean([total >= abs(differences.sum()) - 1e-12 for total in sums]))


def test_the_interval_of_a_large_sample_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, size=2_000)
    interval = bootstrap_interval(values, seed=3)
    half = 1.96 * values.std() / np.sqrt(values.size)
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.05 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.05 * half)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        interval = bootstrap_interval(generator.random(60) < 0.3, resamples=500)
        covered += interval.low <= 0.3 <= interval.high
    assert 0.90 <= covered / 300 <= 0.98


def test_a_wider_level_gives_a_wider_interval() -> None:
    values = np.linspace(0, 1, 50)
    narrow, wide = bootstrap_interval(values, level=0.5), bootstrap_interval(values, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high


@given(VALUES)
def test_the_interval_lies_within_the_values_and_a_seed_repeats_it(values: list[float]) -> None:
    values = [*values, 0.25, 0.5]  # not all equal
    interval = bootstrap_interval(values, resamples=200, seed=5)
    assert min(values) - 1e-12 <= interval.low <= interval.high <= max(values) + 1e-12
    assert interval == bootstrap_interval(values, resamples=200, seed=5)


def test_another_seed_gives_another_interval() -> None:
    values = np.linspace(0, 1, 50)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_one_right_answer_does_not_prove_that_all_are() -> None:
    assert str(bootstrap_interval([1.0])) == "1.000 [0.207, 1.000]"


def test_none_wrong_of_three_hundred_leaves_room_for_some() -> None:
    # Wilson's upper end at 0 of n is z^2 / (n + z^2): 3.8415 / 303.8415
    interval = bootstrap_interval(np.zeros(300))
    assert (interval.value, interval.low, interval.high) == (0.0, 0.0, pytest.approx(0.012643, abs=1e-6))
    assert bootstrap_interval(np.ones(300)).low == pytest.approx(1 - 0.012643, abs=1e-6)


def test_equal_values_that_are_neither_0_nor_1_have_no_interval() -> None:
    interval = bootstrap_interval([0.1] * 7)
    assert interval.value == 0.1
    assert not interval.has_ends
    assert str(interval) == "0.100 [–, –]"
    assert interval.signed == "+0.100 [–, –]"
    assert interval.to_dict() == {"value": 0.1, "low": None, "high": None}


def test_counts_that_are_all_one_have_no_interval() -> None:
    assert not bootstrap_interval([1.0] * 7, bounded=False).has_ends


def test_one_cluster_has_no_interval_and_equal_ones_count_once_each() -> None:
    assert not bootstrap_interval([0.0, 1.0], clusters=["a", "a"]).has_ends
    assert bootstrap_interval(np.zeros(6), clusters=list("aabbcc")) == wilson(0, 3)


def test_what_differs_keeps_its_bootstrap_interval() -> None:
    values = np.repeat([0.0, 1.0], [3, 297])
    interval = bootstrap_interval(values)
    assert (interval.low, interval.high) == pytest.approx((0.97667, 1.0), abs=1e-5)


@pytest.mark.parametrize(("successes", "n", "low", "high"), [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775)])
def test_wilsons_interval_is_the_published_one(successes: int, n: int, low: float, high: float) -> None:
    found = wilson(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_wilsons_interval_is_wider_at_a_higher_level() -> None:
    assert wilson(0, 30, level=0.99).high > wilson(0, 30).high > wilson(0, 30, level=0.5).high


def test_blocks_do_not_change_the_count_of_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = np.arange(6.0), np.zeros(6)
    monkeypatch.setattr("evaluation.intervals.BLOCK", 6 * 7)  # 7 resamples at a time, the last block is short
    p = paired_randomisation(first, second, resamples=100)
    assert (p * 101) == pytest.approx(round(p * 101))
    assert bootstrap_interval(first, resamples=100).low < first.mean()


def test_memory_stays_bounded_for_many_questions() -> None:
    values = np.random.default_rng(0).random(100_000)
    tracemalloc.start()
    bootstrap_interval(values, resamples=100)
    paired_randomisation(values, values[::-1], resamples=100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * BLOCK * 4  # 100 resamples at once would need 80 MB for the numbers alone


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1.0, 0.9, 0.8, 1.0, 0.7, 0.6, 1.0, 0.5], [0.5, 0.8, 0.9, 0.4, 0.7, 0.1, 0.2, 0.5]),
        ([1, 1, 1, 1, 1, 1, 0, 1, 1, 1], [0, 0, 0, 0, 1, 0, 1, 0, 0, 0]),
        ([0.3, 0.1, 0.2], [0.1, 0.2, 0.3]),
    ],
)
def test_the_p_value_is_that_of_all_sign_flips(first: list[float], second: list[float]) -> None:
    assert paired_randomisation(first, second) == pytest.approx(exact_p(first, second), abs=0.02)


def test_the_p_value_is_two_sided() -> None:
    generator = np.random.default_rng(2)
    first, second = generator.random(20), generator.random(20) + 0.2
    forth, back = paired_randomisation(first, second), paired_randomisation(second, first)
    assert forth == back < 0.2


def test_equal_systems_have_a_p_value_of_one() -> None:
    values = np.random.default_rng(3).random(30)
    assert paired_randomisation(values, values) == 1.0


def test_the_smallest_p_value_is_not_zero() -> None:
    assert paired_randomisation(np.ones(60), np.zeros(60), resamples=999) == 1 / 1000


def test_differences_in_the_last_digit_do_not_hide_ties() -> None:
    # -0.1, 0.3, -0.3: no sign pattern gives less than 0.1, but in floats some give 0.09999999999999998
    assert paired_randomisation([0.9, 0.5, 0.7], [1.0, 0.2, 1.0]) == 1.0


def test_false_alarms_are_as_rare_as_the_level_says() -> None:
    generator = np.random.default_rng(11)
    alarms = sum(
        paired_randomisation(generator.random(25), generator.random(25), resamples=199, seed=n) <= 0.05
        for n in range(400)
    )
    assert 0.025 <= alarms / 400 <= 0.085


def test_unpaired_scores_are_a_defect() -> None:
    with pytest.raises(ValueError, match="3 scores against 2"):
        paired_randomisation([1, 2, 3], [1, 2])


@pytest.mark.parametrize("values", [[], [0.5, float("nan")], [float("inf")]])
def test_nothing_to_average_and_numbers_that_are_none_are_refused(values: list[float]) -> None:
    with pytest.raises(InputError, match="scores"):
        bootstrap_interval(values)


def test_holm_on_a_case_worked_by_hand() -> None:
    adjusted = holm({"a": 0.04, "b": 0.01, "c": 0.03, "d": 0.005})
    # sorted: .005 x 4 = .02, .01 x 3 = .03, .03 x 2 = .06, .04 x 1 = .04 -> kept at .06
    assert adjusted == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06, "d": 0.02})
    assert list(adjusted) == ["a", "b", "c", "d"]


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=6))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: dict[str, float]) -> None:
    adjusted = holm(p_values)
    assert all(p_values[name] <= p <= 1 for name, p in adjusted.items())
    by_raw = sorted(p_values, key=lambda name: (p_values[name], name))
    assert [adjusted[name] for name in by_raw] == sorted(adjusted.values())


def test_quartiles_of_a_small_case() -> None:
    spread = quartiles([4.0, 1.0, 2.0, 3.0, 100.0])
    assert (spread.value, spread.low, spread.high) == (3.0, 2.0, 4.0)


def test_numbers_print_with_the_digits_that_matter() -> None:
    shown = [digits(x) for x in (0.0, 0.64512, 1.0, 0.00123, -0.5, float("nan"))]
    assert shown == ["0.000", "0.645", "1.000", "0.0012", "-0.500", "–"]
