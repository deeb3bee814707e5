from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from generators.decoding.branches import Branches
from generators.models.language_model import LocalModel
from generators.policies.divergences import jensen_shannon

WITH, WITHOUT = [5, 9, 3, 7, 2, 8], [4, 6]
ANSWER = [3, 1, 4, 1, 5, 9, 2, 6]


@pytest.fixture
def model(tiny_folder: Path) -> LocalModel:
    return LocalModel(tiny_folder, dtype="float32")


def test_each_branch_says_what_it_would_say_alone(model: LocalModel) -> None:
    both, context, memory = (
        Branches(model, WITH, WITHOUT),
        Branches(model, WITH, None),
        Branches(model, WITHOUT, None),
    )
    for token in ANSWER:
        assert both.memory is not None
        torch.testing.assert_close(both.context, context.context, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(both.memory, memory.context, rtol=1e-4, atol=1e-4)
        assert both.divergence() == jensen_shannon(both.context, both.memory) > 0
        for branches in (both, context, memory):
            branches.append(token)


def test_one_branch_has_no_memory_and_no_divergence(model: LocalModel) -> None:
    alone = Branches(model, WITH, None)
    alone.append(1)
    assert alone.memory is None
    assert math.isnan(alone.divergence())
