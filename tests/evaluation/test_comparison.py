from __future__ import annotations

import numpy as np
import pytest

from evaluation.comparison import compare
from evaluation.intervals import bootstrap_interval, paired_randomisation
from indexes.errors import InputError

SCORES = np.random.default_rng(0).random((3, 40))
SYSTEMS = {name: {"m": SCORES[row] + 0.1 * row} for row, name in enumerate(("a", "b", "c"))}


def test_each_system_has_its_interval_and_its_corrected_p_value() -> None:
    table = compare("t", SYSTEMS, seed=4)
    raw = [paired_randomisation(SYSTEMS[name]["m"], SYSTEMS["a"]["m"], seed=4) for name in ("b", "c")]
    assert table.baseline == "a"
    assert [row.n for row in table.rows] == [40, 40, 40]
    assert table.row("b").values["m"] == bootstrap_interval(SYSTEMS["b"]["m"], seed=4)
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
