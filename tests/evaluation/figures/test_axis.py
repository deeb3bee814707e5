from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.figures.axis import Axis, nice


@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=20))
def test_the_ends_are_round_and_hold_every_number(numbers: list[float]) -> None:
    axis = Axis.around(numbers, 0, 100)
    room = axis.step * 1e-6
    assert axis.low - room <= min(numbers)
    assert axis.high + room >= max(numbers)
    assert 2 <= len(axis.ticks) <= 9
    assert axis.low / axis.step == pytest.approx(round(axis.low / axis.step), abs=1e-6)


def test_numbers_become_pixels_and_those_beyond_the_ends_stop_there() -> None:
    axis = Axis(0, 2, 100, 0, 1)
    assert [axis(number) for number in (0, 0.5, 2, 3)] == [100, 75, 0, 0]


def test_labels_have_the_decimals_of_the_step_and_no_signed_zero() -> None:
    axis = Axis(-0.1, 0.1, 0, 1, 0.05)
    assert [axis.label(tick, sign=True) for tick in axis.ticks] == ["−0.10", "−0.05", "0.00", "+0.05", "+0.10"]
    assert Axis(0, 10, 0, 1, 2).label(4) == "4"


def test_one_number_alone_still_has_an_axis() -> None:
    axis = Axis.around([0.5, 0.5], 0, 10)
    assert axis.low < 0.5 < axis.high


def test_steps_are_round() -> None:
    assert [nice(rough) for rough in (0.012, 0.02, 0.021, 0.3, 7.0)] == pytest.approx([0.02, 0.02, 0.025, 0.5, 10.0])
