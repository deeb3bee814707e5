from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from generators.policies.cocoa import CoCoA
from generators.policies.nwcad import NWCAD
from indexes.errors import InputError
from tests.generators.policies.reference import CASES, Exact, Logits, divergence, margin, tensors


def expected(z_c: Logits, z_0: Logits, rule: NWCAD) -> Exact:
    top = sorted({*np.argsort(-z_c, kind="stable")[:50].tolist(), *np.argsort(-z_0, kind="stable")[:50].tolist()})
    apart = divergence(z_c[top].astype(np.float64), z_0[top].astype(np.float64))
    if apart <= rule.divergence and margin(z_0) >= rule.prior:
        return z_0.astype(np.float64)
    if margin(z_c) >= rule.context:
        return z_c.astype(np.float64)
    return CoCoA().combine(*tensors((z_c, z_0))).numpy().astype(np.float64)


@pytest.mark.parametrize(
    "rule",
    [NWCAD(), NWCAD(divergence=0.3, prior=0.0), NWCAD(divergence=0.0), NWCAD(context=1.0), NWCAD(0.69, 0.9, 0.0)],
)
@pytest.mark.parametrize("case", [name for name in CASES if name != "ruled out"])
def test_the_gates_choose_as_in_float64(case: str, rule: NWCAD) -> None:
    np.testing.assert_array_equal(rule.combine(*tensors(CASES[case])).numpy(), expected(*CASES[case], rule))


def test_every_gate_is_taken_by_some_case() -> None:
    def taken(name: str) -> str:
        z_c, z_0 = tensors(CASES[name])
        out = NWCAD().combine(z_c, z_0)
        return "memory" if torch.equal(out, z_0) else "context" if torch.equal(out, z_c) else "mixture"

    assert taken("both sure, agreed") == "memory"
    assert taken("both sure, apart") == "context"
    assert taken("flat") == "mixture"


def test_tokens_beyond_the_fifty_first_do_not_count() -> None:
    z_c = torch.cat([torch.tensor([6.0]), torch.zeros(49), torch.full((5000,), -1.0)])
    z_0 = z_c.clone()
    z_0[50:] = -9.0  # a tail that the whole distributions would differ in
    assert torch.equal(NWCAD().combine(z_c, z_0), z_0)


@pytest.mark.parametrize("options", [{"divergence": 0.7}, {"prior": -0.1}, {"context": 1.1}, {"prior": math.nan}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError) as refused:
        NWCAD(**options)
    assert next(iter(options)) in refused.value.fix
