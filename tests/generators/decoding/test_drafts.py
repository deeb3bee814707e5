from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from generators.decoding import drafts as module
from generators.decoding.decode import decode
from generators.decoding.drafts import Draft, drafts
from generators.models.language_model import LocalModel
from generators.policies.greedy import Greedy
from indexes.errors import InputError


@pytest.fixture(scope="module")
def model(tiny_folder: Path) -> LocalModel:
    return LocalModel(tiny_folder, dtype="float32")


def row(seed: int, length: int) -> list[int]:
    return torch.randint(0, 256, (length,), generator=torch.Generator().manual_seed(seed)).tolist()


PROMPTS = [row(seed, 2 + (seed * 11) % 37) for seed in range(40)]


def alone(model: LocalModel, prompt: list[int], max_tokens: int, stop: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    steps = list(decode(model, prompt, None, Greedy(), max_tokens=max_tokens, stop=stop))
    return "".join(step.text for step in steps), tuple(step.token for step in steps)


@pytest.mark.parametrize("stop", [("\n",), (), ("a", "e", " ", "1", "2")])
def test_lock_step_drafts_say_what_each_prompt_says_alone(model: LocalModel, stop: tuple[str, ...]) -> None:
    found = drafts(model, PROMPTS, max_tokens=12, stop=stop)
    assert [(draft.text, draft.tokens) for draft in found] == [alone(model, p, 12, stop) for p in PROMPTS]


def test_rows_end_at_different_steps_in_that_test(model: LocalModel) -> None:
    ends = frozenset(range(0, 256, 5))
    model.load()
    lengths = {len(draft.tokens) for draft in _with_ends(model, ends)}
    assert len(lengths) > 3


def _with_ends(model: LocalModel, ends: frozenset[int]) -> list[Draft]:
    class Ending(LocalModel):
        @property
        def eos_ids(self) -> frozenset[int]:
            return ends

    other = Ending(model.path, dtype="float32")
    found = drafts(other, PROMPTS, max_tokens=12, stop=())
    assert [(draft.text, draft.tokens) for draft in found] == [alone(other, p, 12, ()) for p in PROMPTS]
    return found


def test_models_whose_caches_cannot_be_joined_give_the_same(sliding_folder: Path) -> None:
    model = LocalModel(sliding_folder, dtype="float32")
    found = drafts(model, PROMPTS[:6], max_tokens=10, stop=("a", "e", "1"))
    assert [(d.text, d.tokens) for d in found] == [alone(model, p, 10, ("a", "e", "1")) for p in PROMPTS[:6]]


def test_log_probabilities_entropies_and_margins_are_those_of_an_uncached_pass(model: LocalModel) -> None:
    for prompt, draft in zip(PROMPTS[:7], drafts(model, PROMPTS[:7], max_tokens=9), strict=True):
        whole = torch.tensor([[*prompt, *draft.tokens]])
        with torch.inference_mode():
            logits = model.load().model(input_ids=whole, use_cache=False).logits[0, len(prompt) - 1 : -1].double()
        table = torch.log_softmax(logits, dim=-1)
        first, second = table.topk(2, dim=-1).values.T
        np.testing.assert_allclose(draft.log_probs, first, atol=2e-4)
        np.testing.assert_allclose(draft.margins, first - second, atol=2e-4)
        np.testing.assert_allclose(draft.entropies, -(table.exp() * table).sum(dim=-1), atol=2e-4)
        assert {len(draft.tokens)} == {len(draft.log_probs), len(draft.entropies), len(draft.margins)}
        assert {each.dtype.name for each in (draft.log_probs, draft.entropies, draft.margins)} == {"float32"}


def test_the_grouping_changes_nothing(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    together = drafts(model, PROMPTS, max_tokens=8)
    monkeypatch.setattr(module, "GROUP_ROWS", 3)
    monkeypatch.setattr(module, "GROUP_TOKENS", 60)
    apart = drafts(model, PROMPTS, max_tokens=8)
    assert [draft.tokens for draft in together] == [draft.tokens for draft in apart]
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(one.entropies, other.entropies, atol=1e-4)


def test_prompts_with_a_common_beginning_share_its_reading(model: LocalModel) -> None:
    system = row(5, 60)
    prompts = [[*system, *row(seed, 4)] for seed in range(20, 26)]
    read: list[int] = []
    hook = model.load().model.get_input_embeddings().register_forward_hook(lambda _m, i, _o: read.append(i[0].numel()))
    try:
        drafts(model, prompts, max_tokens=1)
    finally:
        hook.remove()
    assert sum(read) < 64 + 5 * 5


def test_the_window_ends_a_long_prompts_draft_and_no_others(model: LocalModel) -> None:
    long, short = row(1, model.window - 3), row(2, 5)
    found = drafts(model, [long, short], max_tokens=6, stop=())
    assert len(found[0].tokens) <= 3
    assert [d.tokens for d in found] == [alone(model, p, 6, ())[1] for p in (long, short)]


def test_no_prompts_make_no_drafts(model: LocalModel) -> None:
    assert drafts(model, [], max_tokens=5) == []


def test_what_cannot_be_drafted_is_said(model: LocalModel) -> None:
    with pytest.raises(InputError, match="max_tokens cannot be 0"):
        drafts(model, PROMPTS[:1], max_tokens=0)
    with pytest.raises(InputError, match="no tokens"):
        drafts(model, [[]], max_tokens=1)
    with pytest.raises(InputError, match="needs room to answer"):
        drafts(model, [row(0, model.window)], max_tokens=1)
