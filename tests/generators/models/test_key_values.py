from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from generators.models.key_values import State, read_prompts
from generators.models.model_files import load_model

LENGTHS = [[1], [5, 5], [37, 4], [2, 60, 17], [1, 90], [24, 24, 3, 24]]


@pytest.fixture(scope="module")
def network(tiny_folder: Path) -> PreTrainedModel:
    return load_model(tiny_folder, "float32").model


@pytest.fixture(scope="module")
def sliding(sliding_folder: Path) -> PreTrainedModel:
    return load_model(sliding_folder, "float32").model


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def row(seed: int, length: int) -> list[int]:
    return torch.randint(0, 300, (length,), generator=torch.Generator().manual_seed(seed)).tolist()


def alone(model: PreTrainedModel, rows: list[list[int]]) -> torch.Tensor:
    """Next-token logits of each row, computed from scratch, without cache, mask or batch."""
    return torch.stack([model(input_ids=torch.tensor([one]), use_cache=False).logits[0, -1] for one in rows])


@contextmanager
def counted_tokens(model: PreTrainedModel) -> Iterator[list[int]]:
    """Tokens per forward pass."""
    counts: list[int] = []
    handle = model.get_input_embeddings().register_forward_hook(lambda _, inputs, __: counts.append(inputs[0].numel()))
    try:
        yield counts
    finally:
        handle.remove()


def follow(model: PreTrainedModel, rows: list[list[int]], steps: int) -> State:
    state = read_prompts(model, rows)
    for step in range(steps):
        torch.testing.assert_close(state.logits, alone(model, rows), atol=1e-4, rtol=1e-4)
        tokens = row(100 + step, len(rows))
        state.extend(model, torch.tensor(tokens).unsqueeze(1))
        rows = [[*one, token] for one, token in zip(rows, tokens, strict=True)]
    torch.testing.assert_close(state.logits, alone(model, rows), atol=1e-4, rtol=1e-4)
    assert state.lengths == [len(one) for one in rows]
    return state


@pytest.mark.parametrize("lengths", LENGTHS)
def test_joined_rows_give_the_logits_of_each_row_alone(network: PreTrainedModel, lengths: list[int]) -> None:
    state = follow(network, [row(seed, length) for seed, length in enumerate(lengths)], steps=6)
    assert len(state.blocks) == 1


def test_the_padding_matters_to_this_model(network: PreTrainedModel) -> None:
    state = read_prompts(network, [row(0, 30), row(1, 3)])
    state.blocks[0].mask = None
    wrong = state.extend(network, torch.tensor([[5], [5]]))[:, -1]
    assert (wrong[1] - alone(network, [[*row(1, 3), 5]])[0]).abs().max() > 1e-2


@pytest.mark.parametrize("lengths", LENGTHS)
def test_models_whose_caches_cannot_be_joined_are_as_exact(sliding: PreTrainedModel, lengths: list[int]) -> None:
    state = follow(sliding, [row(seed, length) for seed, length in enumerate(lengths)], steps=4)
    assert len(state.blocks) == len(lengths)


def test_several_tokens_at_once_equal_one_after_another(network: PreTrainedModel) -> None:
    rows = [row(0, 21), row(1, 6)]
    once, stepwise = read_prompts(network, rows), read_prompts(network, rows)
    tokens = torch.tensor([row(2, 7), row(3, 7)])
    expected = torch.cat([stepwise.extend(network, column.unsqueeze(1)) for column in tokens.unbind(1)], dim=1)
    torch.testing.assert_close(once.extend(network, tokens), expected, atol=1e-4, rtol=1e-4)


def test_a_shared_beginning_is_read_once_and_changes_nothing(network: PreTrainedModel) -> None:
    system = row(9, 40)
    rows = [[*system, *row(1, 50)], [*system, *row(2, 5)], [*system, *row(1, 50)], row(3, 12)]
    with counted_tokens(network) as counts:
        state = read_prompts(network, rows)
    torch.testing.assert_close(state.logits, alone(network, rows), atol=1e-4, rtol=1e-4)
    assert sum(counts) == 40 + 50 + 5 + 1 + 12  # of the repeated row only the last token, whose logits are wanted
    follow(network, rows, steps=3)


def test_short_shared_beginnings_are_read_again(network: PreTrainedModel) -> None:
    rows = [[*row(9, 7), 1, 2], [*row(9, 7), 3]]
    with counted_tokens(network) as counts:
        read_prompts(network, rows)
    assert sorted(counts) == [8, 9]


def test_a_row_that_begins_another_is_exact(network: PreTrainedModel) -> None:
    long = row(4, 60)
    follow(network, [long, long[:30]], steps=3)


def test_continuing_one_state_leaves_another_alone(network: PreTrainedModel) -> None:
    rows = [row(0, 20), row(1, 8)]
    first, second = read_prompts(network, rows), read_prompts(network, rows)
    for _ in range(3):
        first.extend(network, torch.tensor([[3], [3]]))
    assert second.lengths == [20, 8]
    second.extend(network, torch.tensor([[7], [7]]))
    torch.testing.assert_close(second.logits, alone(network, [[*one, 7] for one in rows]), atol=1e-4, rtol=1e-4)


def test_a_decode_step_of_several_rows_is_one_pass(network: PreTrainedModel) -> None:
    state = read_prompts(network, [row(0, 20), row(1, 8), row(2, 3)])
    with counted_tokens(network) as counts:
        state.extend(network, torch.tensor([[1], [1], [1]]))
    assert counts == [3]


@pytest.mark.parametrize("kept", [[0], [1, 3], [0, 2, 3], [0, 1, 2, 3]])
@pytest.mark.parametrize("joinable", [True, False])
def test_selected_rows_go_on_as_if_the_others_had_never_been(
    network: PreTrainedModel, sliding: PreTrainedModel, kept: list[int], joinable: bool
) -> None:
    model = network if joinable else sliding
    rows = [row(seed, length) for seed, length in enumerate([9, 4, 21, 4])]
    state = read_prompts(model, rows)
    state.select(kept)
    rest = [rows[i] for i in kept]
    torch.testing.assert_close(state.logits, alone(model, rest), atol=1e-4, rtol=1e-4)
    state.extend(model, torch.tensor([[7]] * len(kept)))
    torch.testing.assert_close(state.logits, alone(model, [[*one, 7] for one in rest]), atol=1e-4, rtol=1e-4)
    assert state.lengths == [len(one) + 1 for one in rest]
