from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.symposium import Symposium
from tests.app.mcp.building import build


@pytest.fixture
def symposium(tmp_path: Path) -> Iterator[Symposium]:
    """Three experts on fakes, and a model that always says the same."""
    with build(tmp_path) as made:
        yield made
