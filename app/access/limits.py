"""How often one principal may ask: a token bucket each (Turner 1986, "New directions in communications")."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from indexes.errors import InputError, SettingsError

MOST = 10_000  # buckets that are kept; those that are full again say nothing, and are dropped then


class TooOftenError(InputError):
    """Somebody asks too often.

    Parameters
    ----------
    name
        Who.
    retry
        Seconds to wait.
    """

    def __init__(self, name: str, retry: float) -> None:
        super().__init__(f"{name!r} asks too often.", f"Wait {retry:.1f} s.")
        self.retry = retry


class Limits:
    """Safe to use from several threads.

    Parameters
    ----------
    per_minute
        How many tokens flow into a bucket in a minute.
    burst
        How many it holds: so many requests may come at once.
    clock
        Seconds, never going back.
    """

    def __init__(self, per_minute: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        if not per_minute > 0 or burst < 1:
            raise SettingsError(
                f"A limit of {per_minute} a minute, {burst} at once, lets nobody in.",
                "Give numbers of 1 or more; access.per_minute = 0 sets no limit.",
            )
        self.rate = per_minute / 60
        self.burst = float(burst)
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, principal_name: str) -> float:
        """Take a token: 0.0, or the seconds to wait until there is one."""
        with self._lock:
            now = self._clock()
            if len(self._buckets) >= MOST:
                self._buckets = {
                    name: kept for name, kept in self._buckets.items() if self._level(kept, now) < self.burst
                }
            level = self._level(self._buckets.get(principal_name, (self.burst, now)), now)
            if level < 1:
                return (1 - level) / self.rate
            self._buckets[principal_name] = level - 1, now
            return 0.0

    def check(self, principal_name: str) -> None:
        """Take a token; a ``TooOftenError`` where there is none."""
        wait = self.take(principal_name)
        if wait > 0:
            raise TooOftenError(principal_name, wait)

    def _level(self, bucket: tuple[float, float], now: float) -> float:
        tokens, at = bucket
        return min(self.burst, tokens + (now - at) * self.rate)
