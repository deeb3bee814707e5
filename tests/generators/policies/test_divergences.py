from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from generators.policies.divergences import (
    LN2,
    RENYI_LIMIT,
    entropy,
    jensen_shannon,
    largest_probability,
    margin,
    renyi_half,
)
from tests.generators.policies import reference
from tests.generators.policies.reference import CASES, Logits, divergence, drawn, log_softmax, pairs, softmax, tensors


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


@pytest.mark.parametrize("scale", [0.01, 1.0, 8.0, 60.0])
@pytest.mark.parametrize("size", [2, 300, reference.VOCABULARY])
def test_jensen_shannon_equals_the_float64_reference(size: int, scale: float) -> None:
    pair = drawn(size, size, scale)
    assert jensen_shannon(*tensors(pair)) == pytest.approx(divergence(*pair), abs=1e-6)


def test_peaked_and_offset_logits_lose_nothing() -> None:
    z_c, z_0 = drawn(3, 500, 4.0)
    z_c[7], z_0[11] = 80.0, 90.0
    shifted = z_c + np.float32(512.0)  # softmax does not see a constant
    assert jensen_shannon(*tensors((shifted, z_0))) == pytest.approx(divergence(shifted, z_0), abs=1e-6)


def test_a_token_without_measurable_mass_on_one_side_does_not_overflow() -> None:
    z_c, z_0 = tensor(0.0, -100.0, 1.0), tensor(-100.0, 0.0, 1.0)
    assert jensen_shannon(z_c, z_0) == pytest.approx(divergence(z_c.numpy(), z_0.numpy()), abs=1e-6)


def test_branches_far_apart_reach_the_bounds() -> None:
    z_c, z_0 = tensor(1e4, 0.0, -1e4), tensor(-1e4, 0.0, 1e4)
    assert jensen_shannon(z_c, z_0) == pytest.approx(LN2, abs=1e-6)
    assert renyi_half(z_c, z_0) == RENYI_LIMIT
    assert renyi_half(tensor(0.0, -math.inf), tensor(-math.inf, 0.0)) == RENYI_LIMIT


def test_a_constant_offset_between_the_branches_is_no_disagreement() -> None:
    z, _ = tensors(drawn(6, 400, 3.0))
    assert jensen_shannon(z, z + 4.0) == pytest.approx(0.0, abs=1e-6)
    assert renyi_half(z, z + 4.0) == pytest.approx(0.0, abs=1e-6)


def test_tokens_ruled_out_in_both_branches_do_not_count() -> None:
    z_c, z_0 = tensor(1.0, -math.inf, 2.0), tensor(3.0, -math.inf, 0.5)
    for measure in (jensen_shannon, renyi_half):
        assert measure(z_c, z_0) == pytest.approx(measure(z_c[[0, 2]], z_0[[0, 2]]), abs=1e-6)
    assert entropy(z_c) == pytest.approx(entropy(z_c[[0, 2]]), abs=1e-6)


def test_tokens_ruled_out_in_one_branch_count_in_the_divergence() -> None:
    z_c, z_0 = tensor(0.0, 0.0, -math.inf), tensor(-math.inf, 0.0, 0.0)
    assert jensen_shannon(z_c, z_0) == pytest.approx(LN2 / 2, abs=1e-6)
    assert renyi_half(z_c, z_0) == pytest.approx(2 * LN2, abs=1e-6)  # half of each branch's mass is shared


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs())
def test_both_divergences_are_symmetric_and_equal_their_references(pair: tuple[Logits, Logits]) -> None:
    z_c, z_0 = tensors(pair)
    assert jensen_shannon(z_c, z_0) == pytest.approx(divergence(*pair), abs=1e-5)
    assert jensen_shannon(z_c, z_0) == pytest.approx(jensen_shannon(z_0, z_c), abs=1e-6)
    halves = (log_softmax(pair[0]) + log_softmax(pair[1])) / 2
    exact = -2 * (halves.max() + math.log(np.exp(halves - halves.max()).sum()))
    assert renyi_half(z_c, z_0) == pytest.approx(min(max(exact, 0.0), RENYI_LIMIT), abs=1e-4)
    assert renyi_half(z_c, z_0) == renyi_half(z_0, z_c)


@pytest.mark.parametrize("case", CASES)
def test_confidence_equals_the_float64_reference(case: str) -> None:
    for exact, branch in zip(CASES[case], tensors(CASES[case]), strict=True):
        assert entropy(branch) == pytest.approx(reference.entropy(exact), rel=1e-5, abs=1e-6)
        assert margin(branch) == pytest.approx(reference.margin(exact), abs=1e-6)
        assert largest_probability(branch) == pytest.approx(softmax(exact).max(), abs=1e-6)


def test_one_token_alone_is_certain() -> None:
    assert entropy(tensor(3.0)) == 0.0
    assert margin(tensor(3.0)) == 1.0
