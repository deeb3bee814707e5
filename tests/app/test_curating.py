from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.settings import Settings
from app.symposium import Symposium
from indexes.errors import InputError
from indexes.store.open import MEMORY, opener
from retrievers.panel import Panel
from tests.fakes import TOPICS, WordEncoder
from tests.retrievers.conftest import fill


@pytest.fixture
def symposium(tmp_path: Path) -> Iterator[Symposium]:
    panel = Panel(tmp_path / "slices", WordEncoder(), opener(MEMORY))
    for name in TOPICS:
        fill(panel, name)

    def nobody() -> None:
        pytest.fail("nothing is to be answered")

    with Symposium(Settings(home=tmp_path), panel, nobody) as made:
        yield made


def test_an_expert_that_is_being_added_to_is_not_removed(symposium: Symposium) -> None:
    with symposium.panel.changing(), pytest.raises(InputError, match="while documents are added"):
        symposium.remove("orchard")
    assert "orchard" in {card.name for card in symposium.experts()}
    symposium.remove("orchard")
    assert "orchard" not in {card.name for card in symposium.experts()}
