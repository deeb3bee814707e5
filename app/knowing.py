"""Skipping retrieval where the language model surely knows the answer: off unless ``retrieval.draft`` is set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.access.fitted import fitted_for
from generators.decoding.knowing import Knowing, Measured

if TYPE_CHECKING:
    from app.settings import Settings
    from retrievers.router import Knows


def make_knows(
    settings: Settings, slices: Path, model: Callable[[], Any], seen: frozenset[str] | None = None
) -> Knows | None:
    """What the router asks; ``None``, which never skips, where it is off, was never measured, or a server writes.

    Parameters
    ----------
    slices
        Folder of the slices, where the measurements lie.
    model
        Gives the language model that is held here, when the first question needs it.
    seen
        Experts of a view, ``None`` for all; see ``app.access.fitted``.
    """
    if settings.retrieval.draft == 0 or settings.models.server:
        return None
    measured = fitted_for(seen, Measured.read, slices)
    return None if measured is None else Knowing(model, measured, settings.retrieval.draft)
