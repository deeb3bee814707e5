from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.language_server import Served, language_server


@pytest.fixture
def served() -> Iterator[Served]:
    with language_server() as server:
        yield server
