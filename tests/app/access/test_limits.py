from __future__ import annotations

import pytest

from app.access import limits
from app.access.limits import Limits
from indexes.errors import SettingsError


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_may_come_at_once_and_then_one_as_often_as_tokens_flow_in(clock: Clock) -> None:
    limit = Limits(60, 3, clock)
    assert [limit.take("anna") for _ in range(3)] == [0.0, 0.0, 0.0]
    assert limit.take("anna") == pytest.approx(1.0)
    clock.now += 0.4
    assert limit.take("anna") == pytest.approx(0.6)
    clock.now += 0.61
    assert limit.take("anna") == 0.0
    assert limit.take("anna") > 0.9
    clock.now += 1000
    assert [limit.take("anna") for _ in range(4)] == [0.0, 0.0, 0.0, pytest.approx(1.0)]


def test_one_principal_takes_nothing_from_another(clock: Clock) -> None:
    limit = Limits(6, 1, clock)
    assert limit.take("anna") == 0.0
    assert limit.take("anna") == pytest.approx(10.0)
    assert limit.take("bert") == 0.0


def test_buckets_that_are_full_again_are_forgotten_and_others_not(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST", 10)
    limit = Limits(60, 1, clock)
    for n in range(10):
        limit.take(f"visitor-{n}")
    clock.now += 0.5
    assert limit.take("visitor-3") == pytest.approx(0.5)
    clock.now += 0.6
    limit.take("new")
    assert len(limit._buckets) == 1
    assert limit.take("new") > 0


@pytest.mark.parametrize(("per_minute", "burst"), [(0, 1), (-1, 1), (1, 0), (float("nan"), 1)])
def test_limits_that_let_nobody_in_are_refused(per_minute: float, burst: int) -> None:
    with pytest.raises(SettingsError, match="lets nobody in"):
        Limits(per_minute, burst)
