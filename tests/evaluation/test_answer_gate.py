from __future__ import annotations

import pytest

from evaluation.answer_gate import gate_table
from indexes.errors import InputError
from tests.evaluation.stored_answers import record, unasked

ALWAYS = [record(id="1"), record("Lyon.", id="2"), record(id="3"), record(id="4")]
NEVER = [record("Lyon.", id="1"), record(id="2"), record(id="3"), unasked(id="4")]
GATE = [
    record(id="1"),
    record(id="2", decision="skip"),
    record(id="3", decision="skip"),
    record(id="4"),
    unasked(id="5"),
]


def test_the_gate_stands_between_never_and_always() -> None:
    table = gate_table("mine", GATE, NEVER, ALWAYS)
    found = {row.name: {measure: row.values[measure].value for measure in table.measures} for row in table.rows}
    third = pytest.approx(1 / 3)
    assert all(row.n == 3 for row in table.rows)
    assert found["mine"] == {"right": 1.0, "benefit": third, "harm": 0.0, "calls saved": pytest.approx(2 / 3)}
    assert found["never retrieve"]["right"] == found["always retrieve"]["right"] == pytest.approx(2 / 3)
    assert found["always retrieve"]["harm"] == third
    assert found["oracle"]["right"] == 1.0


def test_without_a_question_answered_both_ways_there_is_nothing_to_measure() -> None:
    with pytest.raises(InputError, match="both with retrieval and without"):
        gate_table("mine", GATE, [], ALWAYS)
