from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from app.settings import Settings, load_settings
from indexes.encoders.base import Fingerprint, Vectors
from indexes.passage import Document, Passage
from indexes.slice import Slice
from indexes.store.open import opener

DIMENSION = 4


@dataclass(frozen=True)
class FlatEncoder:
    """Gives every text the same vector; only its fingerprint matters here."""

    revision: str = "r1"

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint("flat", self.revision, DIMENSION)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        return np.full((len(texts), DIMENSION), 0.5, dtype=np.float32)

    def encode_passages(self, texts: Sequence[str], on_progress: object = None) -> Vectors:
        return self.encode_questions(texts)


@dataclass(frozen=True)
class FakePanel:
    """What the doctor takes from ``app.wiring.make_panel``."""

    encoder: FlatEncoder
    open_store = staticmethod(opener())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        flags={"home": str(tmp_path / "home"), "models.cache": str(tmp_path / "cache")}, env={}
    ).settings


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> FakePanel:
    fake = FakePanel(FlatEncoder())
    monkeypatch.setattr("app.wiring.make_panel", lambda _: fake)
    return fake


@pytest.fixture
def birds(settings: Settings, panel: FakePanel) -> Slice:
    """An open slice with one passage; the test closes it."""
    document = Document("The swift sleeps on the wing.", "Swifts")
    passage = Passage.of(document, 0, len(document.text))
    folder = settings.home / "slices" / "birds"
    made = Slice.create(folder, "birds", "Knows birds.", panel.encoder, panel.open_store, [passage])
    made.add([passage], panel.encoder)
    return made
