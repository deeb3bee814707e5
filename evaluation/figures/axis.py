"""Axes: from numbers to pixels, with ticks at round numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis.

    Parameters
    ----------
    low, high
        The numbers at its ends.
    start, end
        The pixels there.
    step
        Between two ticks.
    """

    low: float
    high: float
    start: float
    end: float
    step: float

    @classmethod
    def around(cls, numbers: Iterable[float], start: float, end: float, *, ticks: int = 5) -> Axis:
        """An axis whose ends are round numbers that enclose ``numbers``, with about so many steps between."""
        known = [number for number in numbers if math.isfinite(number)] or [0.0]
        low, high = min(known), max(known)
        if low == high:
            room = abs(low) / 10 or 0.1
            low, high = low - room, high + room
        step = nice((high - low) / ticks)
        return cls(math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, start, end, step)

    def __call__(self, number: float) -> float:
        """The pixel of a number; beyond the ends it is that of the end."""
        share = (min(max(number, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """The numbers at which ticks stand, both ends included."""
        count = round((self.high - self.low) / self.step)
        return [self.low + place * self.step for place in range(count + 1)]

    def label(self, number: float, *, sign: bool = False) -> str:
        """A tick's number with as many decimals as the step needs."""
        decimals = max(0, -math.floor(math.log10(self.step) + 1e-9))
        text = f"{number:{'+' if sign else ''}.{decimals}f}"
        return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")


def nice(rough: float) -> float:
    """The nearest of 1, 2, 2.5 and 5 times a power of ten that is not below ``rough``."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 2.5, 5) if factor * power >= rough * (1 - 1e-9)), 10 * power)
