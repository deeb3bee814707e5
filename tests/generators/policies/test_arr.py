from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings

from generators.policies.arr import ARR
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


def tau(z_c: Logits, z_0: Logits) -> float:
    strength = divergence(z_c, z_0) / math.log(2)
    return 1 + strength if softmax(z_c).max() > softmax(z_0).max() else 1 - strength


@pytest.mark.parametrize("case", CASES)
def test_arr_equals_the_float64_reference(case: str) -> None:
    assert ARR().tau(*tensors(CASES[case])) == pytest.approx(tau(*CASES[case]), abs=1e-5)
    assert_close(ARR().combine(*tensors(CASES[case])), mixture(*CASES[case], tau(*CASES[case])))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(pairs())
def test_the_weight_lies_between_zero_and_two(pair: tuple[Logits, Logits]) -> None:
    assert 0.0 <= ARR().tau(*tensors(pair)) <= 2.0


def test_a_surer_context_is_strengthened_and_a_surer_memory_drawn_upon() -> None:
    sure, unsure = torch.tensor([9.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0])
    assert ARR().tau(sure, unsure) > 1
    assert ARR().tau(unsure, sure) < 1
    assert int(ARR().combine(unsure, sure).argmax()) == 0
