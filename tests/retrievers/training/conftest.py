"""A small world in which a linear map can be learnt: questions are passages turned by an unknown rotation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from indexes.encoders.base import Vectors, unit
from retrievers.training.folds import crossed, single
from retrievers.training.linear import Questions
from retrievers.training.material import Examples, Material
from retrievers.training.pairs import Labelled

DIMENSION = 16
PASSAGES = 60

MakeMaterial = Callable[..., Material]


def rotation(dimension: int, seed: int = 0) -> Vectors:
    turned, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((dimension, dimension)))
    return np.asarray(turned, dtype=np.float32)


def world(questions: int, seed: int = 1, noise: float = 0.03, turn: float = 3.0) -> tuple[Vectors, Questions]:
    """Passages, and questions of which each is a passage turned (by an angle that grows with ``turn``) and blurred."""
    generator = np.random.default_rng(seed)
    passages = unit(np.random.default_rng(99).standard_normal((PASSAGES, DIMENSION)))
    rows = generator.integers(PASSAGES, size=questions)
    turned = passages[rows] + np.float32(turn) * passages[rows] @ rotation(DIMENSION).T
    vectors = unit(turned + noise * generator.standard_normal(turned.shape))
    return passages, Questions(vectors, [{int(row): 1.0} for row in rows])


@pytest.fixture
def make_material() -> MakeMaterial:
    """Makes the material of ``questions`` in the small world, with one fold or five."""

    def make(questions: int = 120, folds: int = 1, turn: float = 3.0, noise: float = 0.03) -> Material:
        passages, asked = world(questions, turn=turn, noise=noise)
        ids = tuple(f"p{row:03d}" for row in range(PASSAGES))
        texts = tuple(f"question {number}" for number in range(questions))
        relevant = tuple({ids[row]: grade for row, grade in rows.items()} for rows in asked.relevant)
        vectors = asked.vectors
        dev = np.arange(questions) % 4 == 0
        split = single(vectors, dev) if folds == 1 else crossed(vectors, 0, folds)
        return Material(ids, passages, Examples(Labelled(texts, relevant), vectors), split)

    return make
