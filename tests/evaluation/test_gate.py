from __future__ import annotations

import numpy as np
import pytest

from evaluation.gate import (
    ALWAYS,
    BENEFIT,
    CALLS_SAVED,
    FALSE_SKIPS,
    HARM,
    NEVER,
    ORACLE,
    RIGHT,
    SAVED,
    SAVED_BY_KIND,
    Gated,
    area,
    by_kind,
    decisions,
    share,
    utility,
)
from indexes.errors import InputError

QUESTIONS = [
    *[Gated("chitchat", needless=True)] * 8,
    *[Gated("sums", needless=True)] * 2,
    *[Gated("domain", needless=False)] * 10,
]
SKIPS = [True] * 6 + [False] * 2 + [True] * 2 + [True] + [False] * 9


def test_decisions_are_counted_over_the_questions_that_they_concern() -> None:
    table = decisions("t", QUESTIONS, {"ours": SKIPS})
    ours = {name: round(interval.value, 6) for name, interval in table.row("ours").values.items()}
    assert ours[SAVED] == 0.8
    assert ours[SAVED_BY_KIND] == 0.875
    assert ours[FALSE_SKIPS] == 0.1
    assert ours["all skipped"] == 0.45
    assert "10 needless questions, 10 others" in table.notes[0]


def test_never_always_and_the_oracle_stand_beside_the_gates() -> None:
    table = decisions("t", QUESTIONS, {"ours": SKIPS})
    assert [row.name for row in table.rows] == [NEVER, ALWAYS, "ours", ORACLE]
    found = {r.name: (r.values[SAVED].value, r.values[FALSE_SKIPS].value) for r in table.rows}
    assert (found[NEVER], found[ALWAYS], found[ORACLE]) == ((1, 1), (0, 0), (1, 0))


def test_kinds_are_listed_with_the_needless_first() -> None:
    table = by_kind("t", QUESTIONS, {"ours": SKIPS, "none": [False] * 20})
    assert [row.name for row in table.rows] == ["chitchat (needless)", "sums (needless)", "domain"]
    assert [row.values["ours"].value for row in table.rows] == [0.75, 1.0, 0.1]
    assert [row.n for row in table.rows] == [8, 2, 10]
    assert all(row.values["none"].value == 0 for row in table.rows)


def test_utility_is_what_retrieval_changes_where_it_is_made() -> None:
    helps, harms, same = (Gated("x", False, *pair) for pair in ((0.0, 1.0), (1.0, 0.0), (1.0, 1.0)))
    questions = [helps, helps, harms, same, Gated("unanswered", needless=True)]
    table = utility("t", questions, {"ours": [False, True, True, False, True]})
    found = {r.name: {m: round(i.value, 6) for m, i in r.values.items()} for r in table.rows}
    assert found["ours"] == {RIGHT: 0.75, BENEFIT: 0.25, HARM: 0, CALLS_SAVED: 0.5}
    assert found[ALWAYS] == {RIGHT: 0.75, BENEFIT: 0.5, HARM: 0.25, CALLS_SAVED: 0}
    assert found[NEVER] == {RIGHT: 0.5, BENEFIT: 0, HARM: 0, CALLS_SAVED: 1}
    assert found[ORACLE] == {RIGHT: 1.0, BENEFIT: 0.5, HARM: 0, CALLS_SAVED: 0.5}
    assert {row.n for row in table.rows} == {4}


@pytest.mark.parametrize(
    ("true", "n", "low", "high"), [(0, 100, 0.0, 0.0370), (50, 100, 0.4038, 0.5962), (4, 4, 0.5101, 1.0)]
)
def test_shares_have_wilsons_interval(true: int, n: int, low: float, high: float) -> None:
    found = share(np.arange(n) < true)
    assert found.value == true / n
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_an_area_under_the_curve_has_hanley_and_mcneils_interval() -> None:
    found = area(0.8, 50, 50)
    assert found.value == 0.8
    assert found.high - 0.8 == pytest.approx(1.96 * 0.0445, abs=1e-3)
    assert area(0.99, 5, 5).high == 1
    assert area(0.8, 500, 500).low > found.low


def test_a_gate_needs_questions_of_both_sorts() -> None:
    for sort in (QUESTIONS[:10], QUESTIONS[10:]):
        with pytest.raises(InputError, match="both sorts"):
            decisions("t", sort, {})
    with pytest.raises(InputError, match="both with retrieval and without"):
        utility("t", QUESTIONS, {})
    with pytest.raises(InputError, match="share"):
        share([])
    with pytest.raises(ValueError, match="3 of 20"):
        decisions("t", QUESTIONS, {"ours": [True] * 3})
