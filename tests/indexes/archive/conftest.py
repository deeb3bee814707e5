from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.adapters.nudge import Nudged
from indexes.generations import opened
from indexes.manifest import Manifest
from indexes.slice import OpenStore, Slice
from indexes.store.base import Point
from indexes.store.open import opener
from tests.fakes import TOPICS, WordEncoder, make_passages

TEXTS = tuple(text for texts in TOPICS.values() for text in texts)


def make_slice(
    slices: Path, name: str, open_store: OpenStore, texts: Sequence[str] = TEXTS, encoder: Any = None
) -> Path:
    """A slice with one passage a text, closed."""
    encoder = encoder or WordEncoder()
    passages = make_passages(texts)
    made = Slice.create(slices / name, name, f"About {name}.", encoder, open_store, passages)
    made.add(passages, encoder)
    made.close()
    return slices / name


def nudge(folder: Path, open_store: OpenStore) -> None:
    """Give the slice an adapter that moves some of its passages."""
    opened_ = Slice.open(folder, WordEncoder(), open_store)
    ids = [i for batch, _ in opened_.store.scan() for i in batch][::3]
    shifts = np.random.default_rng(0).standard_normal((len(ids), 64)).astype(np.float32) / 10
    opened_.adapt(Nudged(tuple(ids), shifts), {"made": "for a test"})
    opened_.close()


def points_of(folder: Path, open_store: OpenStore) -> list[Point]:
    """All points of a closed slice."""
    manifest = Manifest.read(folder)
    store = opened(manifest, folder, open_store)
    try:
        return [point for batch in store.records() for point in batch]
    finally:
        store.close()


def as_bytes(point: Point) -> tuple[Any, ...]:
    """A point such that two are equal if all bits of them are."""
    terms = sorted(zip(point.sparse.indices, point.sparse.values, strict=True))
    return point.id, point.dense.tobytes(), terms, point.payload


def state_of(folder: Path, open_store: OpenStore) -> tuple[Any, ...]:
    """All that a slice is, whatever its store is called: manifest, files and points."""
    manifest = Manifest.read(folder)
    base = manifest.store_folder(folder)
    files = {
        path.name: path.read_bytes() for path in base.iterdir() if path.is_file() and path.suffix in {".npz", ".bin"}
    }
    return replace(manifest, generation=""), files, [as_bytes(point) for point in points_of(folder, open_store)]


@pytest.fixture
def embedded() -> OpenStore:
    """The store inside this process."""
    return opener()


@pytest.fixture
def memory() -> OpenStore:
    """A server that keeps everything in memory."""
    return opener(":memory:")


@pytest.fixture
def slices(tmp_path: Path) -> Path:
    """The folder of the slices, with one named ``birds``."""
    folder = tmp_path / "home" / "slices"
    make_slice(folder, "birds", opener())
    return folder
