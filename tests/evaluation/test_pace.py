from __future__ import annotations

import numpy as np
import pytest

from evaluation.comparison import compare
from evaluation.pace import Costs, with_pace
from evaluation.report import Table


def table(*names: str) -> Table:
    return compare("pace", {name: {"EM": np.zeros(4)} for name in names}, resamples=50)


def costs(tokens: list[float], seconds: list[float]) -> Costs:
    return np.array([tokens, seconds]).T


PLAIN = costs([10, 20, 10, 10], [1.0, 2.0, 1.0, 1.0])


def test_time_is_a_median_per_token_and_the_ratios_are_of_the_same_questions() -> None:
    slow = costs([10, 10, 5, 10], [1.0, 2.0, 1.5, 4.0])
    values = with_pace(table("a", "b"), {"a": PLAIN, "b": slow}, "a").row("b").values
    assert values["s/token"].value == pytest.approx(0.25)  # of 0.1, 0.2, 0.3, 0.4
    assert values["x a"].value == pytest.approx(2.5)
    assert values["total x a"].value == pytest.approx((8.5 / 35) / (5 / 50))


def test_the_reference_is_as_fast_as_itself() -> None:
    values = with_pace(table("a"), {"a": PLAIN}, "a").row("a").values
    for measure in ("x a", "total x a"):
        assert values[measure].value == pytest.approx(1.0)
    assert values["x a"].ends == "[1.000, 1.000]"  # quartiles
    assert values["total x a"].ends == "[–, –]"  # no resample differs, so there is no interval


def test_questions_that_only_one_was_timed_on_have_no_ratio() -> None:
    some = costs([10, 0, 10, 10], [2.0, 0.0, 2.0, 9.0])
    reference = costs([10, 10, 10, 0], [1.0, 1.0, 1.0, 0.0])
    found = with_pace(table("a", "b"), {"a": reference, "b": some}, "a")
    assert found.row("b").values["total x a"].value == pytest.approx(2.0)
    assert found.row("b").values["s/token"].value == pytest.approx(0.2)
    assert found.notes[-1] == "Timed on 3 questions."


def test_a_table_without_times_stays_as_it_is() -> None:
    plain = table("a", "b")
    assert with_pace(plain, {"a": np.zeros((4, 2)), "b": np.zeros((4, 2))}, "a") is plain


def test_the_interval_of_the_total_repeats_with_its_seed() -> None:
    uneven = costs([10] * 4, [1.0, 1.3, 2.1, 9.0])
    totals = [
        with_pace(table("a", "b"), {"a": PLAIN, "b": uneven}, "a", seed=seed, resamples=99).row("b").values["total x a"]
        for seed in (1, 1, 2)
    ]
    assert totals[0] == totals[1]
    assert totals[0] != totals[2]
    assert totals[0].low < totals[0].value < totals[0].high
