from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generators.models import scoring
from generators.models.language_model import LocalModel


@pytest.fixture(scope="module")
def model(tiny_folder: Path) -> LocalModel:
    return LocalModel(tiny_folder, dtype="float32")


def row(seed: int, length: int) -> list[int]:
    return torch.randint(0, 300, (length,), generator=torch.Generator().manual_seed(seed)).tolist()


def naive(model: LocalModel, prompts: list[list[int]], continuation: list[int]) -> NDArray[np.float32]:
    """One uncached pass per prompt over prompt and continuation, in float64 from the logits on."""
    rows = []
    for prompt in prompts:
        with torch.inference_mode():
            logits = model.load().model(input_ids=torch.tensor([[*prompt, *continuation]]), use_cache=False).logits[0]
        table = torch.log_softmax(logits.double(), dim=-1)
        rows.append([float(table[len(prompt) - 1 + i, token]) for i, token in enumerate(continuation)])
    return np.array(rows, dtype=np.float32).reshape(len(prompts), len(continuation))


@contextmanager
def largest_head_input(model: LocalModel) -> Iterator[list[int]]:
    """Positions that went through the language-model head, per pass."""
    sizes: list[int] = []
    network: Any = model.load().model
    head = network.get_output_embeddings()
    handle = head.register_forward_hook(lambda _, inputs, __: sizes.append(inputs[0].shape[:-1].numel()))
    try:
        yield sizes
    finally:
        handle.remove()


@pytest.mark.parametrize("length", [1, 2, 9, 70])
def test_log_probabilities_equal_the_naive_ones(model: LocalModel, length: int) -> None:
    prompts = [row(seed, size) for seed, size in enumerate([30, 4, 1, 55, 30])]
    continuation = row(50, length)
    found = model.log_probs(prompts, continuation)
    assert found.shape == (5, length)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, naive(model, prompts, continuation), atol=2e-4)


def test_many_prompts_are_scored_in_groups_and_keep_their_order(model: LocalModel) -> None:
    prompts = [row(seed, 3 + (seed * 7) % 20) for seed in range(21)]
    np.testing.assert_allclose(model.log_probs(prompts, row(9, 5)), naive(model, prompts, row(9, 5)), atol=2e-4)


def test_long_prompts_make_smaller_groups(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "GROUP_TOKENS", 100)
    prompts = [row(seed, size) for seed, size in enumerate([120, 40, 40, 40, 5, 5])]
    groups = list(scoring.groups(prompts, scoring.GROUP_ROWS, scoring.GROUP_TOKENS))
    assert sorted(index for group in groups for index in group) == list(range(6))
    assert all(len(group) == 1 or len(group) * max(len(prompts[i]) for i in group) <= 100 for group in groups)
    np.testing.assert_allclose(model.log_probs(prompts, row(9, 5)), naive(model, prompts, row(9, 5)), atol=2e-4)


def test_prompts_with_a_common_beginning_are_exact(model: LocalModel) -> None:
    system = row(1, 40)
    prompts = [[*system, *row(seed, 10 + seed)] for seed in range(2, 7)]
    np.testing.assert_allclose(model.log_probs(prompts, row(9, 12)), naive(model, prompts, row(9, 12)), atol=2e-4)


def test_only_a_bounded_number_of_positions_reaches_the_head_at_once(model: LocalModel) -> None:
    prompts = [row(seed, 60) for seed in range(8)]
    with largest_head_input(model) as sizes:
        model.log_probs(prompts, row(9, 40))
    assert max(sizes) <= scoring.SCORED_AT_ONCE
    assert sum(sizes) == 8 * 40  # the continuation's positions and no others


def test_an_empty_continuation_and_no_prompts_give_empty_tables(model: LocalModel) -> None:
    assert model.log_probs([[1, 2], [3]], []).shape == (2, 0)
    assert model.log_probs([], [1, 2]).shape == (0, 2)


@pytest.mark.slow
def test_the_real_model_scores_as_a_plain_pass_does(real_folder: Path) -> None:
    real = LocalModel(real_folder, dtype="float32")
    prompts = [real.chat_tokens([{"role": "user", "content": text}]) for text in ("Where is Paris?", "Hi.")]
    continuation = real.encode("Paris is in France.")
    found = real.log_probs(prompts, continuation)
    np.testing.assert_allclose(found, naive(real, prompts, continuation), atol=1e-3)
    assert found[0].sum() > found[1].sum()
