from __future__ import annotations

import math

import pytest
import torch

from generators.policies.cad import CAD
from indexes.errors import InputError
from tests.generators.policies.reference import CASES, assert_close, contrast, tensors


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("case", CASES)
def test_cad_equals_the_float64_reference(case: str, alpha: float) -> None:
    assert_close(CAD(alpha).combine(*tensors(CASES[case])), contrast(*CASES[case], alpha))


def test_only_the_context_branch_can_rule_a_token_out() -> None:
    with_context, without = torch.tensor([1.0, -math.inf, 2.0]), torch.tensor([-math.inf, 1.0, 1.0])
    assert CAD(1.0).combine(with_context, without).tolist() == [1.0, -math.inf, 3.0]


@pytest.mark.parametrize("alpha", [-0.1, math.nan, math.inf])
def test_a_weight_out_of_range_is_refused(alpha: float) -> None:
    with pytest.raises(InputError) as refused:
        CAD(alpha)
    assert "0 or more" in refused.value.fix
