"""What a system and all views of it share, and what changes for all of them at once when its slices are encoded anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.settings import Settings


@dataclass
class Serving:
    """How a running system serves.

    Parameters
    ----------
    settings
        As loaded, but for the encoder, which is the one that is asked with now.
    latin_only
        Whether that encoder reads Latin script only; see ``check_question``.
    """

    settings: Settings
    latin_only: bool = False
