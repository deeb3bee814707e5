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


def expected(z_c: Logits, z_0: Logits, sure: float, rise: float) -> Logits:
    """The rule in float64."""
    p_c, p_0 = softmax(z_c), softmax(z_0)
    if p_c.max() >= sure:
        return z_c
    if entropy(p_c) <= entropy(p_0) + rise:
        return mixture(z_c, z_0, 1 + divergence(z_c, z_0))
    return mixture(z_c, z_0, 1 - math.sqrt(divergence(z_c, z_0) / math.log(2)))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("sure", "rise"), [(0.9, 0.25), (2.0, 0.25), (2.0, 0.0), (2.0, -math.inf), (2.0, math.inf)])
def test_the_policy_equals_the_float64_reference(case: str, sure: float, rise: float) -> None:
    found = Symposia(sure, rise).combine(*tensors(CASES[case]))
    assert_close(found, expected(*CASES[case], sure, rise))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs())
def test_a_sure_context_is_followed_whatever_memory_says(pair: tuple[Logits, Logits]) -> None:
    context, memory = tensors(pair)
    sure = float(torch.softmax(context, dim=-1).max()) * 0.999
    assert torch.equal(Symposia(sure=sure).combine(context, memory), context)
    assert torch.equal(Symposia(sure=sure).combine(context, None), context)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs())
def test_without_a_rise_it_is_adacad_and_with_none_allowed_memory_always_leads(pair: tuple[Logits, Logits]) -> None:
    context, memory = tensors(pair)
    assert torch.equal(Symposia(2.0, math.inf).combine(context, memory), AdaCAD().combine(context, memory))
    leading = int(Symposia(2.0, -math.inf).combine(context, memory).argmax())
    p_c, p_0 = torch.softmax(context, dim=-1), torch.softmax(memory, dim=-1)
    assert float(p_0[leading]) >= float(p_0[int(p_c.argmax())]) * (1 - 1e-5)


def test_a_context_that_confuses_gives_way_to_memory_and_one_that_informs_is_strengthened() -> None:
    rule = Symposia()
    confused, sure = torch.tensor([1.0, 0.9, -4.0]), torch.tensor([-4.0, 3.0, 0.0])
    assert int(rule.combine(confused, sure).argmax()) == 1
    assert int(AdaCAD().combine(confused, sure).argmax()) == 0
    surer = torch.tensor(
        [0.5, 1.6, -4.0]
    )  # than the context, but not by so much entropy: the context leads all the same
    assert int(rule.combine(torch.tensor([1.5, 1.0, -4.0]), surer).argmax()) == 0
    leaning, other = torch.tensor([2.0, 1.9, -4.0]), torch.tensor([4.0, 0.0, 4.5])
    assert int(rule.combine(leaning, other).argmax()) == 1


@pytest.mark.parametrize("options", [{"sure": 0.0}, {"sure": float("nan")}, {"rise": math.nan}])
def test_values_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Symposia(**options)
