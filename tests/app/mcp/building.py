"""A symposium on fakes, for the tests of the surfaces that programs use."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from app.settings import Settings
from app.symposium import Symposium
from app.telemetry.stages import MeasuredPanel, MeasuredRouter
from generators.answerer import Answerer, Options
from generators.policies.registry import policy
from indexes.store.open import MEMORY, opener
from tests.fakes import TOPICS, WordEncoder
from tests.generators.scripted import ScriptedModel
from tests.retrievers.conftest import fill

SCRIPT = "Apple trees blossom in April."


class SlowModel(ScriptedModel):
    """Waits before each token."""

    def __init__(self, script: str, delay: float) -> None:
        super().__init__(script)
        self.delay = delay

    def advance(self, state: Any, tokens: Sequence[int]) -> torch.Tensor:
        """See ``ScriptedModel``."""
        time.sleep(self.delay)
        return super().advance(state, tokens)


def build(home: Path, script: str = SCRIPT, settings: Settings | None = None, delay: float = 0.0) -> Symposium:
    """Three experts, and a model that always says the same."""
    panel = MeasuredPanel(home / "slices", WordEncoder(), opener(MEMORY), router)
    for name in TOPICS:
        fill(panel, name)
    answerer = Answerer(SlowModel(script, delay), policy("greedy"), Options(), list)
    return Symposium(settings or Settings(home=home), panel, lambda: answerer)


def router(null: object, *, seen: frozenset[str] | None = None) -> MeasuredRouter:
    """The router of the panel and of its views."""
    del seen
    return MeasuredRouter(null)  # type: ignore[arg-type]
