from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from app.settings.schema import Telemetry
from app.symposium import Symposium
from app.telemetry.stages import MeasuredPanel
from generators.answerer import Answerer, Options
from generators.policies.registry import policy
from indexes.store.open import MEMORY, opener
from tests.app.mcp.building import router
from tests.fakes import TOPICS, WordEncoder
from tests.generators.scripted import ScriptedModel
from tests.retrievers.conftest import fill

Make = Callable[..., Symposium]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes a symposium of three experts with these ``[telemetry]`` settings."""
    made: list[Symposium] = []

    def build(**telemetry: object) -> Symposium:
        panel = MeasuredPanel(tmp_path, WordEncoder(), opener(MEMORY), router)
        for name in TOPICS:
            fill(panel, name)
        answerer = Answerer(ScriptedModel("Apple trees blossom in April."), policy("greedy"), Options(), list)
        made.append(Symposium(Settings(telemetry=Telemetry.model_validate(telemetry)), panel, lambda: answerer))
        return made[-1]

    yield build
    for symposium in made:
        symposium.close()
