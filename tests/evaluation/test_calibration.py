from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.calibration import equal_mass, read_calibration, reliability, write_calibration
from evaluation.intervals import wilson
from indexes.errors import InputError


def test_the_errors_are_those_worked_out_by_hand() -> None:
    # Two bins of two: |0.5 - 0.15| and |0.5 - 0.85|, both 0.35.
    found = reliability([0.1, 0.2, 0.8, 0.9], [0, 1, 1, 0], bins=2)
    assert found.ece.value == pytest.approx(0.35)
    assert found.brier.value == pytest.approx((0.01 + 0.64 + 0.04 + 0.81) / 4)
    assert [(each.n, each.observed.value) for each in found.bins] == [(2, 0.5), (2, 0.5)]
    assert [each.probability for each in found.bins] == pytest.approx([0.15, 0.85])


def test_probabilities_that_come_true_as_often_as_they_say_nearly_always_have_an_interval_with_zero() -> None:
    draws = np.random.default_rng(0)
    held = 0
    for seed in range(60):
        chance = draws.random(500)
        found = reliability(chance, draws.random(500) < chance, resamples=200, seed=seed)
        held += found.ece.low == 0.0
    assert held >= 54


def test_overconfidence_is_found_with_its_size() -> None:
    draws = np.random.default_rng(1)
    true = draws.random(4000) < 0.6
    found = reliability(np.full(4000, 0.9), true)
    assert found.ece.low < 0.3 < found.ece.high
    assert found.ece.high - found.ece.low < 0.05
    assert len(found.bins) == 1


def test_the_interval_holds_the_true_error_about_as_often_as_it_says() -> None:
    draws = np.random.default_rng(2)
    held = 0
    for seed in range(60):
        chance = draws.uniform(0.3, 1.0, 400)
        found = reliability(chance, draws.random(400) < chance - 0.2, resamples=200, seed=seed)
        held += found.ece.low <= 0.2 <= found.ece.high
    assert held >= 53


@given(st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=1, max_size=60), st.integers(1, 12))
def test_bins_keep_equal_values_together_and_none_is_empty(values: list[float], bins: int) -> None:
    places = equal_mass(np.array(values), bins)
    assert set(places) == set(range(places.max() + 1))
    assert places.max() < bins
    for value in set(values):
        assert len({place for place, other in zip(places, values, strict=True) if other == value}) == 1
    assert all(places[i] <= places[j] for i in range(len(values)) for j in range(len(values)) if values[i] < values[j])


def test_different_values_fill_bins_evenly() -> None:
    places = equal_mass(np.random.default_rng(3).random(100), 10)
    assert np.bincount(places).tolist() == [10] * 10


def test_the_seed_decides_the_interval() -> None:
    draws = np.random.default_rng(4)
    chance, true = draws.random(50), draws.integers(0, 2, 50)
    assert reliability(chance, true, seed=1) == reliability(chance, true, seed=1)
    assert reliability(chance, true, seed=1).ece != reliability(chance, true, seed=2).ece


def test_wilsons_interval_is_the_published_one_and_stays_between_0_and_1() -> None:
    found = wilson(8, 10)
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert (wilson(0, 5).low, wilson(5, 5).high) == (0.0, 1.0)


def test_scores_outside_0_and_1_are_not_probabilities() -> None:
    with pytest.raises(InputError, match=r"1 of 2 probabilities are not between 0 and 1; the first is 1\.2"):
        reliability([0.3, 1.2], [0, 1])
    with pytest.raises(ValueError, match="2 probabilities and 1 outcomes"):
        reliability([0.3, 0.2], [0])


def test_what_was_written_is_read_by_run(tmp_path: Path) -> None:
    write_calibration(tmp_path / "c.jsonl", {"a": [(0.25, True), (0.0, False)], "b": [(1.0, True)]})
    found = read_calibration(tmp_path / "c.jsonl")
    assert {run: (p.tolist(), r.tolist()) for run, (p, r) in found.items()} == {
        "a": ([0.25, 0.0], [1.0, 0.0]),
        "b": ([1.0], [1.0]),
    }


@pytest.mark.parametrize(
    "line", ['{"probability": 1.5, "relevant": 1}', '{"probability": true, "relevant": 1}', '{"probability": 0.5}']
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "c.jsonl").write_text('{"probability": 0.5, "relevant": true}\n' + line + "\n")
    with pytest.raises(InputError, match=r"c\.jsonl:2: "):
        read_calibration(tmp_path / "c.jsonl")
