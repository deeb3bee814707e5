from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from generators.policies.cocoa import CoCoA
from generators.policies.divergences import RENYI_LIMIT
from indexes.errors import InputError
from tests.generators.policies.reference import (
    CASES,
    Logits,
    assert_close,
    entropy,
    log_softmax,
    margin,
    mixture,
    pairs,
    tensors,
)


def weight(z_c: Logits, z_0: Logits, peakedness: float) -> float:
    halves = (log_softmax(z_c) + log_softmax(z_0)) / 2
    apart = min(-2 * math.log(np.exp(halves).sum()), RENYI_LIMIT)
    signal = entropy(z_0) - entropy(z_c) + apart / (1 + apart) + peakedness * margin(z_c)
    return min(max(1 / (1 + math.exp(-signal)), 0.1), 0.9)


@pytest.mark.parametrize("options", [{}, {"gamma": 0.0}, {"peakedness": 0.0, "gamma": 0.0}])
@pytest.mark.parametrize("case", CASES)
def test_cocoa_equals_the_float64_reference(case: str, options: dict[str, float]) -> None:
    rule, pair = CoCoA(**options), CASES[case]
    expected = weight(*pair, rule.peakedness)
    assert rule.weight(*tensors(pair)) == pytest.approx(expected, abs=1e-5)
    assert_close(rule.combine(*tensors(pair)), mixture(*pair, expected + rule.gamma))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(pairs())
def test_the_weight_lies_between_its_bounds(pair: tuple[Logits, Logits]) -> None:
    assert 0.1 <= CoCoA().weight(*tensors(pair)) <= 0.9


def test_equal_branches_without_a_peak_are_weighted_alike() -> None:
    z, _ = tensors(CASES["flat"])
    assert CoCoA(peakedness=0.0).weight(z, z) == pytest.approx(0.5, abs=1e-4)


def test_confidence_and_divergence_raise_the_weight() -> None:
    sure, unsure = torch.tensor([9.0, 0.0, 0.0]), torch.tensor([0.0, 0.5, 0.0])
    assert CoCoA().weight(sure, unsure) == 0.9
    assert CoCoA(peakedness=0.0).weight(unsure, sure) < 0.5
    further = CoCoA(0.0).weight(unsure, unsure.flip(0)), CoCoA(0.0).weight(unsure, unsure[[1, 0, 2]])
    assert further[1] > further[0]


@pytest.mark.parametrize("options", [{"gamma": -1.0}, {"gamma": math.nan}, {"peakedness": -1.0}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError) as refused:
        CoCoA(**options)
    assert next(iter(options)) in refused.value.fix
