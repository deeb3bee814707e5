from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from generators.policies.adacad import AdaCAD
from generators.policies.symposia import Symposia
from indexes.errors import InputError
from tests.generators.policies.reference import (
    CASES,
    Logits,
    assert_close,
    divergence,
    mixture,
    pairs,
    softmax,
    tensors,
)


def entropy(p: Logits) -> float:
    return float(-np.sum(p[p > 0] * np.log(p[p > 0])))


def expected(z_c: Logits, z_0: Logits, sure: float, spread: float, rise: float) -> Logits:
    """The rule in float64."""
    p_c, p_0 = softmax(z_c), softmax(z_0)
    if p_c.max() >= sure:
        return z_c
    if entropy(p_c) <= max(entropy(p_0) + rise, spread):
        return mixture(z_c, z_0, 1 + divergence(z_c, z_0))
    return mixture(z_c, z_0, 1 - math.sqrt(divergence(z_c, z_0) / math.log(2)))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("sure", "spread", "rise"),
    [(0.9, 2.0, 0.25), (2.0, 2.0, 0.25), (2.0, 1.0, 0.0), (2.0, 0.0, 0.25), (2.0, 0.0, -9.0), (2.0, math.inf, 0.0)],
)
def test_the_policy_equals_the_float64_reference(case: str, sure: float, spread: float, rise: float) -> None:
    found = Symposia(sure, spread, rise).combine(*tensors(CASES[case]))
    assert_close(found, expected(*CASES[case], sure, spread, rise))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs())
def test_a_sure_context_is_followed_whatever_memory_says(pair: tuple[Logits, Logits]) -> None:
    context, memory = tensors(pair)
    sure = float(torch.softmax(context, dim=-1).max()) * 0.999
    assert torch.equal(Symposia(sure=sure).combine(context, memory), context)
    assert torch.equal(Symposia(sure=sure).combine(context, None), context)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs())
def test_a_context_that_is_never_given_up_is_decoded_by_adacad(pair: tuple[Logits, Logits]) -> None:
    context, memory = tensors(pair)
    assert torch.equal(Symposia(2.0, math.inf).combine(context, memory), AdaCAD().combine(context, memory))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs())
def test_where_the_context_confuses_the_choice_is_no_less_likely_by_memory(pair: tuple[Logits, Logits]) -> None:
    context, memory = tensors(pair)
    p_c, p_0 = torch.softmax(context, dim=-1), torch.softmax(memory, dim=-1)
    chosen = int(Symposia(2.0, 0.0, 0.0).combine(context, memory).argmax())
    if entropy(p_c.numpy()) > entropy(p_0.numpy()):
        assert float(p_0[chosen]) >= float(p_0[int(p_c.argmax())]) * (1 - 1e-5)


def test_a_context_that_leaves_many_tokens_gives_way_to_memory_and_one_that_leaves_few_is_strengthened() -> None:
    lost = torch.tensor([0.3, 0.2, *[0.0] * 18])  # 3 nats
    known = torch.tensor([-4.0, 4.0, *[-4.0] * 18])
    assert int(Symposia().combine(lost, known).argmax()) == 1
    assert int(AdaCAD().combine(lost, known).argmax()) == 0
    torn = torch.tensor([2.0, 1.9, *[-6.0] * 18])  # 0.7 nats: less sure than memory, yet it names its answer
    assert int(Symposia().combine(torn, known).argmax()) == 0
    other = torch.tensor([4.0, 0.0, 4.5, *[-6.0] * 17])
    assert int(Symposia().combine(torn, other).argmax()) == 1


@pytest.mark.parametrize(
    "options", [{"sure": 0.0}, {"sure": float("nan")}, {"spread": math.nan}, {"spread": -0.1}, {"rise": math.nan}]
)
def test_values_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Symposia(**options)
