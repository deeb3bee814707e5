from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexes.encoders.base import unit
from indexes.lexical import Bm25Settings
from indexes.manifest import Manifest
from tests.fakes import DIMENSION, WordEncoder


def residual(seed: int, dimension: int = DIMENSION, size: float = 0.3) -> NDArray[np.float32]:
    """A random residual map ``[dimension, dimension]``."""
    return (size * np.random.default_rng(seed).standard_normal((dimension, dimension))).astype(np.float32)


def rows(count: int, seed: int = 0, dimension: int = DIMENSION) -> NDArray[np.float32]:
    """Random unit vectors."""
    return unit(np.random.default_rng(seed).standard_normal((count, dimension)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a slice made with ``WordEncoder()``; it holds nothing but the manifest."""
    Manifest("orchard", "Fruit trees.", WordEncoder().fingerprint, Bm25Settings(8.0)).write(tmp_path)
    return tmp_path
