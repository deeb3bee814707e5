from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from generators.policies.grd import GRD
from indexes.errors import InputError
from tests.generators.policies.reference import CASES, Logits, assert_close, entropy, log_softmax, mixture, tensors

MEMORY_SURE = "memory sure, context flat"


def tokens(steps: list[tuple[Logits, Logits]], depth: float = 0.75) -> list[int]:
    """The rule in float64: one token a step."""
    trusted: str | None = None
    chosen = []
    for z_c, z_0 in steps:
        c, m = log_softmax(z_c), log_softmax(z_0)
        said, remembered = int(c.argmax()), int(m.argmax())
        if said != remembered and trusted is None:
            trusted = "memory" if math.exp(m[remembered]) > 0.5 and entropy(z_0) < entropy(z_c) else "context"
        if said == remembered or trusted == "context":
            chosen.append(said)
            continue
        lead, memory_lead = c[said] - c[remembered], m[remembered] - m[said]
        chosen.append(int(mixture(z_c, z_0, (1 - depth) * memory_lead / (lead + memory_lead)).argmax()))
    return chosen


@pytest.mark.parametrize("first", CASES)
def test_an_answer_equals_the_float64_reference(first: str) -> None:
    names = [first, *(name for name in CASES if name not in {first, "ruled out"})]
    combiner = GRD().start()
    said = [int(combiner.combine(*tensors(CASES[name])).argmax()) for name in names]
    assert said == tokens([CASES[name] for name in names])


def test_what_the_first_disagreement_decided_holds_for_the_answer() -> None:
    combiner = GRD().start()
    combiner.combine(*tensors(CASES["both sure, agreed"]))
    assert combiner.trusts_context is None
    combiner.combine(*tensors(CASES["context surer"]))
    assert combiner.trusts_context is True
    z_c, z_0 = tensors(CASES[MEMORY_SURE])
    assert torch.equal(combiner.combine(z_c, z_0), z_c)


def test_a_trusted_context_settles_every_later_token() -> None:
    combiner = GRD().start()
    z_c, z_0 = tensors(CASES["context surer"])
    combiner.combine(z_c, z_0)
    assert torch.equal(combiner.combine(z_c, None), z_c)


def test_a_trusted_memory_is_mixed_in_up_to_its_depth() -> None:
    z_c, z_0 = CASES[MEMORY_SURE]
    c, m = log_softmax(z_c), log_softmax(z_0)
    said, remembered = int(c.argmax()), int(m.argmax())
    draw = (m[remembered] - m[said]) / (m[remembered] - m[said] + c[said] - c[remembered])
    for depth in (0.25, 0.75, 1.0):
        combiner = GRD(depth).start()
        out = combiner.combine(*tensors((z_c, z_0)))
        assert combiner.trusts_context is False
        assert_close(out, mixture(z_c, z_0, (1 - depth) * draw))
        assert out[remembered] > out[said]


def test_memory_that_rules_out_the_contexts_token_is_followed() -> None:
    z_c, z_0 = torch.tensor([0.0, 0.1, -0.1]), torch.tensor([5.0, -math.inf, 0.0])
    out = GRD().start().combine(z_c, z_0)
    assert int(out.argmax()) == 0
    assert out[1] == -math.inf


def test_a_context_that_rules_out_memorys_token_does_not_break_the_mixture() -> None:
    z_c, z_0 = torch.tensor([0.0, 0.1, -math.inf]), torch.tensor([0.0, -1.0, 5.0])
    assert int(GRD().start().combine(z_c, z_0).argmax()) == 2


@pytest.mark.parametrize("depth", [-0.1, 1.1, np.nan])
def test_a_depth_out_of_range_is_refused(depth: float) -> None:
    with pytest.raises(InputError) as refused:
        GRD(depth)
    assert "0 to 1" in refused.value.fix
