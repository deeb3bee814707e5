from __future__ import annotations

from evaluation.answer_conflicts import conflicts_table, says_conflict
from tests.evaluation.stored_answers import record, refusal, unasked

SIDES = (("Paris", (1,)), ("Lyon", (2,)))


def test_conflicts_are_judged_where_the_gold_says_whether_there_is_one() -> None:
    records = [record(sides=SIDES, conflict=True), record(conflict=True), record(sides=SIDES, conflict=False)]
    records += [record(conflict=False), unasked(conflict=True), record(sides=SIDES)]
    table = conflicts_table(records)
    assert table is not None
    [row] = table.rows
    assert row.n == 5
    assert [row.values[measure].value for measure in table.measures] == [1 / 2, 1 / 3, 0.4]


def test_a_slice_without_a_conflict_has_no_row() -> None:
    assert conflicts_table([record(), record(conflict=False)]) is None
    table = conflicts_table([record(conflict=True), record(conflict=False, slice="calm")])
    assert table is not None and [row.name for row in table.rows] == ["all questions", "s"]


def test_a_refusal_shows_no_sides() -> None:
    assert says_conflict(record(sides=SIDES)) and not says_conflict(refusal(sides=SIDES))
