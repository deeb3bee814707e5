from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from generators.policies.contrast import contrast, mixture
from tests.generators.policies import reference
from tests.generators.policies.reference import CASES, assert_close, softmax, tensors


def test_contrast_with_weight_zero_is_the_context_branch() -> None:
    assert torch.equal(contrast(torch.tensor([1.0, 2.0]), torch.tensor([9.0, -9.0]), 0.0), torch.tensor([1.0, 2.0]))


@pytest.mark.parametrize("tau", [0.0, 0.25, 1.0, 1.7])
@pytest.mark.parametrize("case", CASES)
def test_a_mixture_equals_the_float64_reference(case: str, tau: float) -> None:
    assert_close(mixture(*tensors(CASES[case]), tau), reference.mixture(*CASES[case], tau))


def test_the_ends_of_a_mixture_are_the_branches() -> None:
    z_c, z_0 = tensors(CASES["ruled out"])
    assert torch.equal(mixture(z_c, z_0, 0.0), z_0)
    assert torch.equal(mixture(z_c, z_0, 1.0), z_c)


@pytest.mark.parametrize("tau", [0.25, 1.7])
def test_a_mixture_is_the_normalised_power_of_both_distributions(tau: float) -> None:
    z_c, z_0 = CASES["random"]
    power = softmax(z_0) ** (1 - tau) * softmax(z_c) ** tau
    mixed = torch.softmax(mixture(*tensors((z_c, z_0)), tau).double(), dim=-1).numpy()
    np.testing.assert_allclose(mixed, power / power.sum(), rtol=1e-4)


def test_between_the_branches_both_can_rule_a_token_out() -> None:
    mixed = mixture(torch.tensor([0.0, -math.inf, 1.0]), torch.tensor([-math.inf, 0.0, 1.0]), 0.5)
    assert mixed[:2].tolist() == [-math.inf, -math.inf]
    assert math.isfinite(mixed[2])


def test_branches_without_a_common_token_leave_the_choice_to_the_context() -> None:
    mixed = mixture(torch.tensor([0.0, -math.inf, 1.0]), torch.tensor([-math.inf, 0.0, -math.inf]), 0.5)
    assert int(mixed.argmax()) == 2
    assert mixed[1] == -math.inf
