from __future__ import annotations

import pytest

from generators.conflicts.units import unit


@pytest.mark.parametrize(
    ("word", "name", "factor"),
    [
        ("km", "metre", 1000),
        ("Kilometres", "metre", 1000),
        ("feet", "metre", 0.3048),
        ("weeks", "second", 604800),
        ("months", "year", 1 / 12),
        ("residents", "people", 1),
        ("%", "percent", 1),
        ("euros", "eur", 1),
        ("households", "household", 1),
    ],
)
def test_a_word_behind_a_number_names_a_unit(word: str, name: str, factor: float) -> None:
    found = unit(word)
    assert found is not None
    assert (found.name, found.factor) == (name, pytest.approx(factor))


@pytest.mark.parametrize("word", ["in", "and", "was", "less", "times", "season", "a"])
def test_an_ordinary_word_is_none(word: str) -> None:
    assert unit(word) is None


def test_measures_may_be_rounded_and_counts_are_exact() -> None:
    measured, counted, money = unit("km"), unit("people"), unit("dollars")
    assert [each.continuous for each in (measured, counted, money) if each] == [True, False, False]
