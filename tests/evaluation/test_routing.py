from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.intervals import wilson
from evaluation.report import Table
from evaluation.routing import (
    MEASURES,
    Routed,
    coverage_vector,
    hit_vector,
    read_routing,
    routing_summary,
    write_routing,
)
from indexes.errors import InputError

RIGHT_FIRST = Routed("q1", frozenset({"law"}), ("law",), {"law": 0.9, "food": 0.1})
RIGHT_SECOND = Routed("q2", frozenset({"law"}), ("food", "law"), {"law": 0.4, "food": 0.6})
MISSED = Routed("q3", frozenset({"law", "cloud"}), ("food",), {"food": 0.7, "law": 0.3})
NOBODY = Routed("q4", frozenset({"food"}), (), {"food": 0.5, "law": 0.5})


def test_the_measures_are_those_counted_by_hand() -> None:
    summary = routing_summary([RIGHT_FIRST, RIGHT_SECOND, MISSED, NOBODY])
    assert summary.n == 4
    assert summary.accuracy.value == 0.5  # q1, and q4 by the tie's name
    assert summary.coverage.value == 0.5  # q1 and q2
    assert summary.asked.value == 1.0
    assert summary.reliability is not None
    assert summary.values["Brier"].value == pytest.approx((0.1**2 + 0.6**2 + 0.7**2 + 0.5**2) / 4)
    for interval in summary.values.values():
        assert interval.low <= interval.value <= interval.high


def test_a_number_of_experts_that_never_varies_has_no_interval_for_it_is_no_share() -> None:
    summary = routing_summary([RIGHT_FIRST, MISSED])
    assert str(summary.asked) == "1.000 [–, –]"
    assert routing_summary([RIGHT_FIRST] * 10).accuracy == wilson(10, 10)


def test_vectors_are_by_question_for_paired_tests() -> None:
    records = [RIGHT_FIRST, RIGHT_SECOND, MISSED, NOBODY]
    assert hit_vector(records).tolist() == [1, 0, 0, 1]
    assert coverage_vector(records).tolist() == [1, 1, 0, 0]


def test_equal_probabilities_are_ordered_by_name_whatever_the_order_given() -> None:
    assert NOBODY.first == "food"
    assert Routed("q", frozenset({"a"}), (), {"law": 0.5, "food": 0.5}).first == "food"


def test_without_probabilities_the_first_asked_counts_and_there_is_no_calibration() -> None:
    all_asked = Routed("q1", frozenset({"law"}), ("food", "law"))
    summary = routing_summary([all_asked, RIGHT_FIRST])
    assert (all_asked.first, summary.accuracy.value, summary.coverage.value) == ("food", 0.5, 1.0)
    assert summary.reliability is None
    assert set(summary.values) == {"accuracy", "coverage", "asked"}


def test_the_null_expert_counts_like_others() -> None:
    chat = Routed("hello", frozenset({"null"}), ("null",), {"null": 0.9, "law": 0.05})
    assert routing_summary([chat]).coverage.value == 1.0


def test_a_probability_of_zero_is_a_probability() -> None:
    records = [Routed("q", frozenset({"a"}), ("a",), {"a": 0.0, "b": 0.0})]
    assert routing_summary(records).values["Brier"].value == 1.0


def test_a_summary_is_a_row_of_a_table() -> None:
    row = routing_summary([RIGHT_FIRST]).row("pilots")
    assert "pilots" in Table("routing", MEASURES, (row,)).to_markdown()
    assert tuple(row.values) == MEASURES


def test_what_was_written_is_read_by_run(tmp_path: Path) -> None:
    runs = {"pilots": [RIGHT_FIRST, MISSED], "ask all": [Routed("q1", frozenset({"law"}), ("food", "law"))]}
    write_routing(tmp_path / "routing.jsonl", runs)
    assert read_routing(tmp_path / "routing.jsonl") == runs


@pytest.mark.parametrize(
    "line",
    [
        '{"question": "q", "right": "law", "asked": []}',
        '{"question": "q", "right": ["law"]}',
        '{"question": 3, "right": ["law"], "asked": []}',
        '{"question": "q", "right": [], "asked": []}',
        '{"question": "q", "right": ["law"], "asked": [], "probabilities": {"law": 1.1}}',
        '{"question": "q", "right": ["law"], "asked": [], "probabilities": {"law": "high"}}',
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "r.jsonl").write_text('{"question": "q", "right": ["law"], "asked": []}\n' + line + "\n")
    with pytest.raises(InputError, match=r"r\.jsonl:2: "):
        read_routing(tmp_path / "r.jsonl")


def test_no_record_is_an_error() -> None:
    with pytest.raises(InputError, match="no routed question"):
        routing_summary([])
