"""Encoding all slices anew with another encoder, and what has to follow: see ``retrievers.reencoding``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.verdicts.calibrated_verdict import CalibratedVerdict
from indexes.errors import SliceError
from indexes.generations import key_of
from indexes.manifest import FILE, Manifest
from retrievers.calibrated_router import Calibrated
from retrievers.reencoding import Encoded, Outcome, Progress, Reencoding

if TYPE_CHECKING:
    from app.settings import Settings
    from retrievers.panel import Panel


@dataclass(frozen=True, slots=True)
class Reencoded:
    """What encoding anew did.

    Parameters
    ----------
    encoder
        As the settings name it.
    outcome
        See ``retrievers.reencoding``.
    void
        What was fitted with another encoder and does not serve with this one: "router", "verdict".
    kept
        Whether the vectors of other encoders were left where they are.
    seconds
        That it took.
    """

    encoder: str
    outcome: Outcome
    void: tuple[str, ...] = ()
    kept: bool = False
    seconds: float = 0.0

    @property
    def encoded(self) -> int:
        """Passages that were encoded this time."""
        return sum(slice_.encoded for slice_ in self.outcome.slices)

    @property
    def lost(self) -> tuple[Encoded, ...]:
        """Experts that had learned something from questions, which stays behind with the old vectors."""
        return tuple(each for each in self.outcome.slices if each.trained or each.labelled)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "encoder": self.encoder,
            **{name: value for name, value in asdict(self.outcome).items() if name != "slices"},
            "experts": [asdict(each) for each in self.outcome.slices],
            "encoded": self.encoded,
            "void": list(self.void),
            "kept": self.kept,
            "seconds": self.seconds,
        }


def with_encoder(settings: Settings, encoder: str) -> Settings:
    """The settings with another encoder."""
    models = settings.models.model_copy(update={"encoder": encoder})
    return settings.model_copy(update={"models": models})


def reencode(
    panel: Panel,
    settings: Settings,
    experts: Sequence[str] = (),
    *,
    swap: bool = True,
    commit: Callable[[], None] = lambda: None,
    keep_old: bool | None = None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Reencoded:
    """Encode the panel's slices with the encoder that the settings name, and ask them with it from then on.

    Parameters
    ----------
    panel
        As it is asked now, perhaps with another encoder.
    settings
        Name the encoder.
    experts, swap, commit
        See ``Reencoding.run``.
    keep_old
        Whether the vectors of the old encoder stay. By default they are deleted, but where a swap was needed and the store is
        a server: other processes may be asking them.

    Raises
    ------
    MissingModelError
        The encoder is not here.
    SymposiaError
        See ``Reencoding.run``.
    """
    from app.wiring import encoder_of

    started = time.perf_counter()
    encoder = encoder_of(settings)
    old = _other_encoder(panel.folder, key_of(encoder.fingerprint))
    keep = bool(settings.store.url and old) if keep_old is None else keep_old
    if old:
        _note_encoder(panel.folder, old)
    outcome = Reencoding(panel, encoder, on_progress, cancelled).run(experts, swap=swap, commit=commit, keep_old=keep)
    void = _void(panel.folder, key_of(encoder.fingerprint))
    return Reencoded(settings.models.encoder, outcome, void, keep, time.perf_counter() - started)


def _other_encoder(slices: Path, key: str) -> str:
    """Key of the encoder of the first slice that was not encoded by that of ``key``; empty where all were."""
    for path in sorted(slices.glob(f"[!.]*/{FILE}")):
        try:
            found = key_of(Manifest.read(path.parent).fingerprint)
        except SliceError:
            continue
        if found != key:
            return found
    return ""


def _note_encoder(slices: Path, key: str) -> None:
    """Let calibrations that do not say with which encoder they were fitted say so, before there is another."""
    for read in (Calibrated.read, CalibratedVerdict.read):
        found: Calibrated | CalibratedVerdict | None = read(slices)
        if found is not None and not found.encoder:
            replace(found, encoder=key).write(slices)


def _void(slices: Path, key: str) -> tuple[str, ...]:
    fitted = {"router": Calibrated.read(slices), "verdict": CalibratedVerdict.read(slices)}
    return tuple(name for name, found in fitted.items() if found is not None and found.encoder not in {"", key})
