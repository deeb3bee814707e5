"""What is known of an expert beside its passages: its size, its training, and the calibrations of the whole panel."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.access.fitted import fitted_for, fitted_with
from app.access.principal import LOCAL, Principal
from generators.verdicts.calibrated_verdict import CalibratedVerdict
from indexes.adapters.base import Identity
from indexes.adapters.files import read_card, read_header
from indexes.errors import SliceError
from indexes.generations import key_of
from retrievers.calibrated_router import Calibrated
from retrievers.calibration import RELEVANCE
from retrievers.router import Wishes
from retrievers.training.card import Card

if TYPE_CHECKING:
    from indexes.encoders.base import Fingerprint
    from retrievers.panel import Panel


@dataclass(frozen=True, slots=True)
class ExpertDetails:
    """One expert.

    Parameters
    ----------
    documents, passages
        How many its slice holds.
    size
        Bytes of its folder; with a Qdrant server only what lies beside that.
    encoder
        Whose vectors are stored.
    updated
        UTC time of the last change, ISO 8601.
    adapter
        Kind of the adapter that it is searched with; ``identity`` for none.
    pilots
        Questions that stand for its labelled ones when a question is routed; 0 without any.
    calibrated
        Whether its relevance is a probability fitted on labelled questions.
    card
        Of its last training that gave it an adapter, or took it away; ``None`` where there was none.
    """

    name: str
    description: str
    documents: int
    passages: int
    size: int
    encoder: Fingerprint
    updated: str
    adapter: str
    pilots: int
    calibrated: bool
    card: Card | None

    @property
    def trained(self) -> bool:
        """Whether it is searched with an adapter of its own."""
        return self.adapter != Identity.kind


@dataclass(frozen=True, slots=True)
class Calibrations:
    """What was fitted on labelled questions of the whole panel; ``None`` where nothing was, or not for those who see a part."""

    router: Calibrated | None
    verdict: CalibratedVerdict | None


def details(panel: Panel, name: str) -> ExpertDetails:
    """All about one expert.

    Raises
    ------
    InputError
        There is none of that name.
    SliceError
        Its slice cannot be opened.
    """
    panel.open()
    if name in panel.problems:
        raise SliceError(
            f"Expert {name!r} cannot be read: {panel.problems[name]}", "`symposia doctor` checks everything."
        )
    Wishes(force=(name,)).check(panel.experts)
    expert = panel.experts[name]
    slice_, learned = expert.slice, expert.profile.questions
    found = read_card(slice_.home)
    return ExpertDetails(
        name,
        expert.description,
        len(slice_.documents()),
        slice_.manifest.passages,
        size_of(slice_.folder),
        slice_.manifest.fingerprint,
        slice_.manifest.updated,
        read_header(slice_.home).kind,
        0 if learned is None else len(learned),
        expert.relevance != RELEVANCE,
        None if found is None else Card.from_dict(found),
    )


def calibrations(panel: Panel, principal: Principal = LOCAL) -> Calibrations:
    """The calibrations that were fitted with this encoder, on questions of experts all of which the principal sees.

    Raises
    ------
    SettingsError
        One of them is damaged, and the principal sees all experts.
    """
    seen, folder = principal.experts, panel.folder
    encoder = key_of(panel.encoder.fingerprint)
    return Calibrations(
        fitted_with(encoder, fitted_for(seen, Calibrated.read, folder)),
        fitted_with(encoder, fitted_for(seen, CalibratedVerdict.read, folder)),
    )


def size_of(folder: Path) -> int:
    """Bytes that all files in a folder take up on the disk; those that vanish meanwhile count nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += _taken(path.stat()) if path.is_file() else 0
        except OSError:
            continue
    return total


def _taken(found: os.stat_result) -> int:
    """The store reserves room in its files that takes up nothing until it is written to."""
    blocks: int | None = getattr(found, "st_blocks", None)  # absent on Windows
    return found.st_size if blocks is None else blocks * 512
