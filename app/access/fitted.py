"""What was fitted on questions and kept beside the slices, and whom it serves.

Temperature and mass of the router, the verdict's threshold and what counts as known were fitted on questions of certain
experts. They would tell of these to somebody who does not see them all: for such a principal they are as if they had never
been fitted, and the settings hold.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from indexes.errors import SettingsError


class Fitted(Protocol):
    """Something that says which experts were on the panel that it was fitted on."""

    @property
    def experts(self) -> tuple[str, ...]:
        """Their names; none where it was kept by a version that did not note them."""


class FittedWith(Protocol):
    """Something that says which encoder it was fitted with."""

    @property
    def encoder(self) -> str:
        """The encoder's key; empty where it was kept by a version that did not note it."""


F = TypeVar("F", bound=Fitted)
W = TypeVar("W", bound=FittedWith)


def fitted_for(seen: frozenset[str] | None, read: Callable[[Path], F | None], slices: Path) -> F | None:
    """What ``read`` finds beside the slices, for those who see the experts ``seen``; ``None`` sees all.

    What cannot be read, or does not say whose questions it was fitted on, serves only those who see all.
    """
    if seen is None:
        return read(slices)
    try:
        found = read(slices)
    except SettingsError:
        return None
    return found if found is not None and found.experts and seen.issuperset(found.experts) else None


def fitted_with(encoder: str, found: W | None) -> W | None:
    """What was found, unless it was fitted with another encoder than the one of this key; see ``symposia reencode``."""
    return found if found is not None and found.encoder in ("", encoder) else None
