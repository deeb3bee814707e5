from __future__ import annotations

import json

import pytest

from evaluation.intervals import Interval
from evaluation.report import Row, Table

TABLE = Table(
    "small, test split",
    ("nDCG@10", "s/token"),
    (
        Row("bm25", 300, {"nDCG@10": Interval(0.66, 0.61, 0.71)}),
        Row("a|b", 300, {"nDCG@10": Interval(0.7, 0.65, 0.75), "s/token": Interval(0.1, 0.05, 0.2)}, {"nDCG@10": 1e-4}),
    ),
    "bm25",
    ("One note.",),
)


def test_markdown_has_every_number_with_its_interval_and_p_value() -> None:
    assert TABLE.to_markdown().splitlines() == [
        "**small, test split**",
        "",
        "| system | n | nDCG@10 | s/token |",
        "|---|--:|---|---|",
        "| bm25 (baseline) | 300 | 0.660 [0.610, 0.710] | – |",
        "| a\\|b | 300 | 0.700 [0.650, 0.750], p < 0.001 | 0.100 [0.050, 0.200] |",
        "",
        "- One note.",
    ]


def test_the_dict_is_plain_json_with_all_parts() -> None:
    record = json.loads(json.dumps(TABLE.to_dict(), allow_nan=False))
    assert record["baseline"] == "bm25"
    assert record["rows"][1]["values"]["nDCG@10"] == {"value": 0.7, "low": 0.65, "high": 0.75}
    assert record["rows"][1]["p"] == {"nDCG@10": 1e-4}


def test_nan_becomes_none() -> None:
    row = Row("r", 1, {"x": Interval(float("nan"), 0.0, float("inf"))})
    assert row.to_dict()["values"]["x"] == {"value": None, "low": 0.0, "high": None}


def test_rows_are_found_by_name() -> None:
    assert TABLE.row("a|b") is TABLE.rows[1]
    with pytest.raises(KeyError):
        TABLE.row("absent")


def test_a_narrow_table_puts_the_interval_below_the_mean() -> None:
    assert TABLE.narrow() == [
        ("bm25 (baseline)", "300", "0.660", "–"),
        ("", "", "[0.610, 0.710]", ""),
        ("a|b", "300", "0.700 p<0.001", "0.100"),
        ("", "", "[0.650, 0.750]", "[0.050, 0.200]"),
    ]


def test_a_difference_shows_its_sign() -> None:
    assert Interval(0.031, -0.002, 0.061).signed == "+0.031 [-0.002, +0.061]"


def test_differences_and_costs_are_in_the_dict() -> None:
    row = Row("r", 1, {}, {}, {"m": Interval(0.5, float("nan"), 1.0)}, {"CPU ms": 0.0}).to_dict()
    assert row["difference"] == {"m": {"value": 0.5, "low": None, "high": 1.0}}
    assert row["cost"] == {"CPU ms": 0.0}
