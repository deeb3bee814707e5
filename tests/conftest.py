from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes import WordEncoder


@pytest.fixture(scope="session")
def model_folder() -> Callable[[str], Path]:
    """The folder of a fetched model by name; the test is skipped where it has not been fetched."""
    from platformdirs import user_cache_path

    def folder(name: str) -> Path:
        path = user_cache_path("symposia", appauthor=False) / "models" / name
        if not (path / "config.json").is_file():
            pytest.skip(f"the model is not there: symposia models fetch {name}")
        return path

    return folder


@pytest.fixture
def encoder() -> WordEncoder:
    """A deterministic encoder of 64 dimensions that needs no model."""
    return WordEncoder()
