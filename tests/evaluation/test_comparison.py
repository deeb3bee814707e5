from __future__ import annotations

import numpy as np
import pytest

from evaluation.comparison import compare, compare_macro
from evaluation.intervals import Interval, bootstrap_interval, paired_randomisation
from evaluation.macro import macro_interval, paired_macro_randomisation
from indexes.errors import InputError

SCORES = np.random.default_rng(0).random((3, 40))
SYSTEMS = {name: {"m": SCORES[row] + 0.1 * row} for row, name in enumerate(("a", "b", "c"))}


def ends(interval: Interval) -> tuple[float, float, float]:
    return interval.value, interval.low, interval.high


def test_each_system_has_its_interval_and_its_corrected_p_value() -> None:
    table = compare("t", SYSTEMS, seed=4)
    raw = [paired_randomisation(SYSTEMS[name]["m"], SYSTEMS["a"]["m"], seed=4) for name in ("b", "c")]
    assert table.baseline == "a"
    assert [row.n for row in table.rows] == [40, 40, 40]
    assert ends(table.row("b").values["m"]) == pytest.approx(ends(bootstrap_interval(SYSTEMS["b"]["m"], seed=4)))
    assert table.row("a").p == {}
    assert min(table.row("b").p["m"], table.row("c").p["m"]) == pytest.approx(min(1.0, 2 * min(raw)))


def test_the_baseline_can_be_named() -> None:
    table = compare("t", SYSTEMS, baseline="c")
    assert [row.name for row in table.rows if not row.p] == ["c"]


def test_one_system_has_no_baseline_and_no_p_value() -> None:
    table = compare("t", {"a": {"m": [0.0, 1.0]}})
    assert table.baseline == ""
    assert table.row("a").p == {}
    assert not any("p:" in note for note in table.notes)


def test_an_unknown_baseline_lists_the_systems() -> None:
    with pytest.raises(InputError, match="no baseline 'x'") as caught:
        compare("t", SYSTEMS, baseline="x")
    assert "a, b, c" in caught.value.fix


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(InputError, match="nothing to compare"):
        compare("t", {})


def test_systems_measured_differently_are_a_defect() -> None:
    with pytest.raises(ValueError, match="different numbers of items"):
        compare("t", {"a": {"m": [1.0]}, "b": {"m": [1.0, 0.0]}})
    with pytest.raises(ValueError, match="different measures"):
        compare("t", {"a": {"m": [1.0]}, "b": {"k": [1.0]}})


def test_the_difference_is_that_of_the_same_questions() -> None:
    table = compare("t", SYSTEMS, seed=4)
    expected = bootstrap_interval(SYSTEMS["b"]["m"] - SYSTEMS["a"]["m"], seed=4)
    assert ends(table.row("b").difference["m"]) == pytest.approx(ends(expected))
    assert table.row("a").difference == {}


def test_a_macro_average_is_compared_within_the_sets() -> None:
    small = {name: {"m": scores["m"][:7]} for name, scores in SYSTEMS.items()}
    table = compare_macro("macro", {"large": SYSTEMS, "small": small}, baseline="b", seed=4)
    of = {name: {"large": SYSTEMS[name]["m"], "small": small[name]["m"]} for name in SYSTEMS}
    assert ends(table.row("a").values["m"]) == pytest.approx(ends(macro_interval(of["a"], seed=4)))
    assert table.row("a").n == 47
    differences = {name: of["a"][name] - of["b"][name] for name in of["a"]}
    expected = macro_interval(differences, seed=4)
    assert ends(table.row("a").difference["m"]) == pytest.approx(ends(expected))
    raw = [paired_macro_randomisation(of[name], of["b"], seed=4) for name in ("a", "c")]
    assert min(table.row("a").p["m"], table.row("c").p["m"]) == pytest.approx(min(1.0, 2 * min(raw)))


def test_every_measure_of_every_system_has_its_own_numbers() -> None:
    draws = np.random.default_rng(9)
    systems = {name: {measure: draws.random(20) for measure in ("x", "y")} for name in ("a", "b", "c")}
    plain, macro = compare("t", systems), compare_macro("t", {"one": systems})
    for name, scores in systems.items():
        for measure, values in scores.items():
            assert plain.row(name).values[measure].value == pytest.approx(values.mean())
            found = plain.row(name).values[measure]
            assert ends(found) == pytest.approx(ends(bootstrap_interval(values)))
            assert macro.row(name).values[measure].value == pytest.approx(values.mean())
            assert ends(macro.row(name).values[measure]) == pytest.approx(ends(macro_interval({"one": values})))


def test_a_macro_average_over_different_systems_is_an_error() -> None:
    with pytest.raises(InputError, match="one has a, b, c, two has a"):
        compare_macro("macro", {"one": SYSTEMS, "two": {"a": {"m": [1.0]}}})
    with pytest.raises(InputError, match="nothing to compare"):
        compare_macro("macro", {})


def test_a_measure_that_no_system_varies_in_has_wilsons_interval_and_a_difference_without_one() -> None:
    same = {"a": {"m": np.zeros(300)}, "b": {"m": np.zeros(300)}}
    for table in (compare("t", same), compare_macro("t", {"one": same})):
        row = table.row("b")
        assert str(row.values["m"]) == "0.000 [0.000, 0.013]"
        assert row.difference["m"].signed == "0.000 [–, –]"
        assert row.to_dict()["difference"]["m"] == {"value": 0.0, "low": None, "high": None}


def test_a_difference_of_one_question_has_no_interval() -> None:
    table = compare("t", {"a": {"m": [0.2]}, "b": {"m": [0.5]}})
    assert table.row("b").difference["m"].signed == "+0.300 [–, –]"
