from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluation.comparison import compare
from evaluation.side_by_side import side_by_side
from evaluation.stored import Judged, StoredRun
from indexes.errors import InputError

LARGE = Judged("large", "test", "aa", 40)
SMALL = Judged("small", "test", "bb", 10)


def stored(name: str, judged: Judged = LARGE, seed: int = 0, **changes: object) -> StoredRun:
    values = {m: np.random.default_rng(seed + place).random(judged.n) for place, m in enumerate(("nDCG@10", "MAP"))}
    questions = tuple(f"{judged.name}{number}" for number in range(judged.n))
    fields = {"questions": questions, "values": values, "source": Path(name), "cost": {"CPU ms": 2.0 + seed}}
    return StoredRun(name, judged, **{**fields, **changes})  # type: ignore[arg-type]


def test_one_set_gives_the_table_that_compare_gives() -> None:
    one, two = stored("one"), stored("two", seed=5)
    found = side_by_side([one, two])
    expected = compare("large, test split", {"one": one.values, "two": two.values})
    assert found.macro is None
    assert found.whole.row("two").values == expected.row("two").values
    assert found.whole.row("two").p == expected.row("two").p
    assert found.whole.row("two").cost == {"CPU ms": 7.0}


def test_questions_may_stand_in_any_order() -> None:
    one, two = stored("one"), stored("two", seed=5)
    turned = stored("two", seed=5, questions=two.questions[::-1], values={m: v[::-1] for m, v in two.values.items()})
    assert side_by_side([one, turned]).whole.to_dict() == side_by_side([one, two]).whole.to_dict()


def test_several_sets_give_a_block_each_and_the_macro_average() -> None:
    runs = [stored(name, judged, seed) for judged in (LARGE, SMALL) for name, seed in (("one", 0), ("two", 5))]
    found = side_by_side(runs, baseline="two")
    assert [table.title for table in found.tables] == [
        "large, test split", "small, test split", "macro average of 2 sets",
    ]  # fmt: skip
    means = [table.row("one").values["MAP"].value for table in found.tables]
    assert means[2] == pytest.approx((means[0] + means[1]) / 2)
    assert found.whole.row("one").cost == {"CPU ms": 2.0}
    assert set(found.whole.row("one").p) == {"nDCG@10", "MAP"}
    assert found.whole.row("two").p == {}


def test_a_system_that_one_set_lacks_is_left_out_of_the_macro_average_and_that_is_said() -> None:
    runs = [stored("one"), stored("two", seed=5), stored("one", SMALL)]
    found = side_by_side(runs)
    assert [row.name for row in found.whole.rows] == ["one"]
    assert found.notes == ("two is not in the macro average: it was evaluated on 1 of 2 sets.",)


def test_another_number_of_questions_is_an_error_that_names_the_difference() -> None:
    limited = Judged("large", "test", "cc", 15)
    with pytest.raises(InputError, match="40 questions against 15, of which 15 are in both"):
        side_by_side([stored("one"), stored("two", limited)])


def test_other_judgements_of_the_same_questions_are_an_error() -> None:
    with pytest.raises(InputError, match="the same 40 questions, but other judgements"):
        side_by_side([stored("one"), stored("two", Judged("large", "test", "dd", 40))])


def test_runs_on_sets_that_have_nothing_in_common_are_an_error() -> None:
    with pytest.raises(InputError, match="'one' was evaluated on 'large, test split' only; on 'small, test split'"):
        side_by_side([stored("one"), stored("two", SMALL)])


def test_the_same_judgements_under_two_names_are_one_set() -> None:
    renamed = Judged("copy", "test", "aa", 40)
    questions = stored("one").questions
    found = side_by_side([stored("one"), stored("two", renamed, 5, questions=questions)])
    assert [judged for judged, _ in found.sets] == [LARGE]


def test_two_runs_of_one_name_on_a_set_must_be_told_apart() -> None:
    with pytest.raises(InputError, match="Two runs on large, test split are named 'one'"):
        side_by_side([stored("one"), stored("one", seed=5)])


def test_measures_that_some_lack_are_left_out_and_named() -> None:
    two = stored("two", seed=5)
    fewer = stored("two", seed=5, values={"MAP": two.values["MAP"]})
    found = side_by_side([stored("one"), fewer])
    assert found.measures == ("MAP",)
    assert found.notes == ("Not compared, since some runs lack them: nDCG@10.",)
    with pytest.raises(InputError, match="No measure is common"):
        side_by_side([stored("one"), stored("two", values={"P@1": two.values["MAP"]})])


def test_an_unknown_baseline_lists_the_runs() -> None:
    with pytest.raises(InputError, match="no baseline 'x'") as caught:
        side_by_side([stored("one"), stored("two", seed=5)], baseline="x")
    assert "one, two" in caught.value.fix


def test_nothing_is_nothing_to_compare() -> None:
    with pytest.raises(InputError, match="nothing to compare"):
        side_by_side([])
