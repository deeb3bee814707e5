from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings

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


def expected(z_c: Logits, z_0: Logits, sure: float, plausible: float) -> Logits:
    """The rule in float64."""
    p_c, p_0 = softmax(z_c), softmax(z_0)
    if p_c.max() >= sure:
        return z_c
    distance = math.sqrt(divergence(z_c, z_0) / math.log(2))
    if p_c.max() <= p_0.max():
        return mixture(z_c, z_0, 1 - distance)
    with np.errstate(divide="ignore"):
        return np.where(p_c >= plausible * p_c.max(), mixture(z_c, z_0, 1 + distance), -np.inf)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("sure", "plausible"), [(0.9, 0.3), (2.0, 0.3), (2.0, 0.0)])
def test_the_policy_equals_the_float64_reference(case: str, sure: float, plausible: float) -> None:
    found = Symposia(sure, plausible).combine(*tensors(CASES[case]))
    assert_close(found, expected(*CASES[case], sure, plausible))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs())
def test_a_sure_context_is_followed_whatever_memory_says(pair: tuple[Logits, Logits]) -> None:
    context, memory = tensors(pair)
    sure = float(torch.softmax(context, dim=-1).max()) * 0.999
    assert torch.equal(Symposia(sure=sure).combine(context, memory), context)
    assert torch.equal(Symposia(sure=sure).combine(context, None), context)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs())
def test_a_leading_context_never_yields_what_it_finds_implausible(pair: tuple[Logits, Logits]) -> None:
    context, memory = tensors(pair)
    p_c, p_0 = torch.softmax(context, dim=-1), torch.softmax(memory, dim=-1)
    chosen = int(Symposia(sure=2.0, plausible=0.3).combine(context, memory).argmax())
    if float(p_c.max()) > float(p_0.max()):
        assert float(p_c[chosen]) >= 0.3 * float(p_c.max()) * (1 - 1e-5)


def test_a_surer_memory_is_drawn_upon_and_a_surer_context_strengthened() -> None:
    unsure, sure = torch.tensor([1.0, 0.9, -4.0]), torch.tensor([-4.0, 3.0, 0.0])
    rule = Symposia()
    assert int(rule.combine(unsure, sure).argmax()) == 1
    leaning, other = torch.tensor([2.0, 1.9, -4.0]), torch.tensor([0.6, 0.0, 0.5])
    assert int(rule.combine(leaning, other).argmax()) == 1


@pytest.mark.parametrize("options", [{"sure": 0.0}, {"sure": float("nan")}, {"plausible": 1.5}, {"plausible": -0.1}])
def test_values_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Symposia(**options)
