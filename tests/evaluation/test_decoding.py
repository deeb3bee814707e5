from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluation.decoding import ContextQuestion, TimedAnswer, compare_policies, load_nq_swap
from indexes.errors import InputError

pyarrow = pytest.importorskip("pyarrow", reason="comes with streamlit")

ITEMS = [
    ContextQuestion(str(n), f"question {n}", f"it is gold{n}", (f"gold{n}",), f"it is old{n}", (f"old{n}",))
    for n in range(30)
]


def faithful(item: ContextQuestion) -> str:
    return f"{item.gold[0]}."


def stubborn(item: ContextQuestion) -> str:
    return f"It is {item.original_gold[0]}"


@pytest.fixture
def swap_file(tmp_path: Path) -> Path:
    from pyarrow import parquet

    rows = [
        {
            "question": f"q{n % 10}",
            "org_context": f"was {n}",
            "org_answer": ["old"],
            "sub_context": f"is {n}",
            "sub_answer": [f"new {n}"],
        }
        for n in range(40)
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "dev.parquet")
    return tmp_path / "dev.parquet"


def test_a_sample_has_different_questions_and_repeats_with_its_seed(swap_file: Path) -> None:
    sample = load_nq_swap(swap_file, 10, seed=3)
    assert len({item.question for item in sample}) == 10
    assert sample == load_nq_swap(swap_file.parent, 10, seed=3)
    assert sample != load_nq_swap(swap_file, 10, seed=4)
    assert sample[:4] == load_nq_swap(swap_file, 4, seed=3)


def test_an_item_holds_both_contexts_with_their_answers(swap_file: Path) -> None:
    item = load_nq_swap(swap_file, 1)[0]
    assert item.context == f"is {item.id}"
    assert item.gold == (f"new {item.id}",)
    assert (item.original_context, item.original_gold) == (f"was {item.id}", ("old",))


@pytest.mark.parametrize("n", [0, 11])
def test_a_sample_size_out_of_range_names_what_there_is(swap_file: Path, n: int) -> None:
    with pytest.raises(InputError, match="has 10 different ones"):
        load_nq_swap(swap_file, n)


def test_files_that_are_missing_or_something_else_are_refused(tmp_path: Path, swap_file: Path) -> None:
    from pyarrow import parquet

    with pytest.raises(InputError, match="There is no file"):
        load_nq_swap(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("not parquet", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        load_nq_swap(tmp_path / "text.parquet")
    parquet.write_table(pyarrow.table({"question": ["q"]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="cannot be read"):
        load_nq_swap(tmp_path / "other.parquet")


def test_policies_are_scored_against_the_context_and_against_memory() -> None:
    table = compare_policies(ITEMS, {"stubborn": stubborn, "faithful": faithful})
    means = {row.name: {m: row.values[m].value for m in table.measures} for row in table.rows}
    assert means["faithful"] == {"EM": 1.0, "contains": 1.0, "F1": 1.0, "memory": 0.0}
    assert means["stubborn"] == {"EM": 0.0, "contains": 0.0, "F1": 0.0, "memory": 1.0}
    assert table.baseline == "stubborn"
    assert table.row("faithful").p["EM"] == pytest.approx(1e-4)


def test_an_answer_with_both_counts_for_the_context() -> None:
    table = compare_policies(ITEMS, {"both": lambda item: f"{item.original_gold[0]} {item.gold[0]}"})
    assert table.row("both").values["contains"].value == 1.0
    assert table.row("both").values["memory"].value == 0.0
    assert table.row("both").values["F1"].value == pytest.approx(2 / 3)


def test_an_empty_answer_counts_as_wrong() -> None:
    table = compare_policies(ITEMS, {"half": lambda item: faithful(item) if int(item.id) % 2 else ""})
    assert table.row("half").n == 30
    assert table.row("half").values["EM"].value == 0.5


def timed(seconds: float, tokens: int = 4) -> Callable[[ContextQuestion], TimedAnswer]:
    return lambda item: TimedAnswer(item.gold[0], tokens, seconds * tokens * (1 + int(item.id)))


def test_seconds_a_token_are_compared_on_the_same_item() -> None:
    table = compare_policies(ITEMS, {"greedy": timed(0.1), "contrast": timed(0.15)})
    assert table.measures[-2:] == ("s/token", "x baseline")
    ratio = table.row("contrast").values["x baseline"]
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1.5, 1.5, 1.5))
    pace = table.row("greedy").values["s/token"]
    assert (pace.value, pace.low, pace.high) == pytest.approx((1.55, 0.825, 2.275))


def test_an_untimed_policy_has_no_pace_and_zero_tokens_divide_nothing() -> None:
    table = compare_policies(ITEMS, {"plain": faithful, "timed": timed(0.1), "none": timed(0.1, tokens=0)})
    assert "s/token" in table.row("timed").values
    assert "x baseline" not in table.row("timed").values
    assert "s/token" not in table.row("plain").values
    assert "s/token" not in table.row("none").values


def test_every_answer_is_reported_and_the_policies_take_turns() -> None:
    seen: list[dict[str, Any]] = []
    policies = {"a": faithful, "b": stubborn}
    compare_policies(ITEMS, policies, on_answer=seen.append)
    assert [record["item"] for record in seen] == [item.id for item in ITEMS for _ in policies]
    first = [record["policy"] for record in seen[::2]]
    assert {record["policy"] for record in seen[:2]} == {"a", "b"}
    assert 5 < first.count("a") < 25
    again: list[dict[str, Any]] = []
    compare_policies(ITEMS, policies, on_answer=again.append)
    assert again == seen


def test_no_items_no_policies_and_an_unknown_baseline_are_refused() -> None:
    for items, policies, baseline in ((ITEMS[:0], {"a": faithful}, ""), (ITEMS, {}, ""), (ITEMS, {"a": faithful}, "b")):
        with pytest.raises(InputError):
            compare_policies(items, policies, baseline=baseline)


@pytest.mark.benchmark
def test_nq_swap_has_its_questions_and_every_new_answer_stands_in_its_context(data_folder: Path) -> None:
    items = load_nq_swap(data_folder / "qa" / "nq-swap", 1667)
    assert len({item.question for item in items}) == 1667
    assert all(item.gold[0] in item.context and item.gold[0] not in item.original_gold for item in items)
    table = compare_policies(items[:200], {"context": lambda item: item.context, "nothing": lambda item: ""})
    assert table.row("context").values["contains"].value > 0.99
