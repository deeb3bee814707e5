from __future__ import annotations

from pathlib import Path

import pytest
import torch

from generators.decoding.branches import MOST_BEHIND, Apart, Branches, Together
from generators.models.language_model import LocalModel

WITH, WITHOUT = [5, 9, 3, 7, 2, 8], [4, 6]
ANSWER = [3, 1, 4, 1, 5, 9, 2, 6]


@pytest.fixture
def model(tiny_folder: Path) -> LocalModel:
    return LocalModel(tiny_folder, dtype="float32")


def both(model: LocalModel) -> tuple[Branches, Branches]:
    return Together(model, WITH, WITHOUT), Apart(model, WITH, WITHOUT)


@pytest.mark.parametrize("asked", [(), (0,), (2, 3), (7,), tuple(range(8))])
def test_branches_apart_say_what_branches_together_say_whenever_memory_is_asked(
    model: LocalModel, asked: tuple[int, ...]
) -> None:
    together, apart = both(model)
    for position, token in enumerate(ANSWER):
        torch.testing.assert_close(apart.context, together.context, rtol=1e-4, atol=1e-4)
        if position in asked:
            torch.testing.assert_close(apart.memory(), together.memory(), rtol=1e-4, atol=1e-4)
        together.append(token)
        apart.append(token)
    assert len(together.divergences()) == len(ANSWER) + 1
    assert apart.divergences() == pytest.approx(together.divergences(), abs=1e-5)


def test_asking_twice_measures_once(model: LocalModel) -> None:
    _, apart = both(model)
    apart.append(ANSWER[0])
    first = apart.divergences()
    assert apart.divergences() == first
    assert torch.equal(apart.memory(), apart.memory())
    assert len(first) == 2


def test_memory_never_falls_further_behind_than_the_limit(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []
    extend = model.extend
    monkeypatch.setattr(model, "extend", lambda state, tokens: runs.append(len(tokens)) or extend(state, tokens))
    _, apart = both(model)
    for _ in range(MOST_BEHIND + 3):
        apart.append(1)
    assert runs == [MOST_BEHIND]
    assert len(apart.divergences()) == MOST_BEHIND + 4
    assert runs == [MOST_BEHIND, 3]


def test_one_branch_has_no_memory_and_no_divergence(model: LocalModel) -> None:
    alone = Together(model, WITH, None)
    alone.append(1)
    assert alone.memory() is None
    assert all(value != value for value in alone.divergences())  # noqa: PLR0124 (NaN is the one value that differs from itself)
