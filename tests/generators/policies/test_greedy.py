from __future__ import annotations

import pytest
import torch

from generators.policies.greedy import Greedy
from tests.generators.policies.reference import CASES, tensors


@pytest.mark.parametrize("case", CASES)
def test_greedy_ignores_memory(case: str) -> None:
    with_context, without = tensors(CASES[case])
    assert torch.equal(Greedy().combine(with_context, without), with_context)
    assert torch.equal(Greedy().combine(with_context, None), with_context)


def test_greedy_needs_no_memory() -> None:
    assert not Greedy().needs_memory
