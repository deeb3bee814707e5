"""What holds for every policy of the registry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.policies.base import Policy
from generators.policies.registry import POLICIES, policy
from indexes.errors import InputError
from tests.generators.policies.reference import CASES, Logits, holed_pairs, pairs, tensors

NAMES = list(POLICIES)
CONTRASTIVE = [name for name in NAMES if policy(name).needs_memory]


def combined(rule: Policy, pair: tuple[Logits, Logits]) -> torch.Tensor:
    with_context, without = tensors(pair)
    return rule.start().combine(with_context, without if rule.needs_memory else None)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(pair=pairs())
def test_equal_branches_give_what_greedy_gives(name: str, pair: tuple[Logits, Logits]) -> None:
    same = pair[0], pair[0]
    assert int(combined(policy(name), same).argmax()) == int(torch.from_numpy(pair[0]).argmax())
    assert torch.equal(combined(policy(name), same), torch.from_numpy(pair[0]))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(pair=pairs())
def test_finite_branches_give_finite_logits(name: str, pair: tuple[Logits, Logits]) -> None:
    out = combined(policy(name), pair)
    assert out.shape == pair[0].shape
    assert out.dtype == torch.float32
    assert torch.isfinite(out).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=50, deadline=None, derandomize=True)
@given(pair=holed_pairs())
def test_tokens_that_are_ruled_out_break_nothing(name: str, pair: tuple[Logits, Logits]) -> None:
    out = combined(policy(name), pair)
    assert not torch.isnan(out).any()
    assert not (out == torch.inf).any()
    assert torch.isfinite(out).any()


@pytest.mark.parametrize("name", NAMES)
def test_neither_branch_is_changed(name: str) -> None:
    for case in CASES.values():
        with_context, without = tensors(case)
        policy(name).start().combine(with_context, without)
        np.testing.assert_array_equal(with_context.numpy(), case[0])
        np.testing.assert_array_equal(without.numpy(), case[1])


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_branches_are_combined_in_float32(name: str) -> None:
    half = tuple(branch.bfloat16() for branch in tensors(CASES["random"]))
    out = policy(name).start().combine(*half)
    assert out.dtype == torch.float32
    assert torch.equal(out, policy(name).start().combine(half[0].float(), half[1].float()))


@pytest.mark.parametrize("name", CONTRASTIVE)
def test_a_missing_branch_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=name):
        policy(name).start().combine(torch.tensor([1.0, 2.0]), None)


@pytest.mark.parametrize("name", NAMES)
def test_a_new_answer_remembers_nothing_of_the_last(name: str) -> None:
    rule, pairs_ = (
        policy(name),
        [tensors(CASES[case]) for case in ("memory surer", "context surer", "both sure, apart")],
    )
    first, second = rule.start(), rule.start()
    said = [first.combine(*pair) for pair in pairs_]
    for pair, before in zip(pairs_, said, strict=True):
        assert torch.equal(second.combine(*pair), before)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.sampled_from(NAMES), pairs())
def test_a_vocabulary_of_one_has_one_choice(name: str, pair: tuple[Logits, Logits]) -> None:
    out = combined(policy(name), (pair[0][:1], pair[1][:1]))
    assert out.shape == (1,)
    assert torch.isfinite(out).all()
