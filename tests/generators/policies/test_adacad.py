from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from generators.policies.adacad import AdaCAD
from generators.policies.divergences import LN2
from indexes.errors import InputError
from tests.generators.policies.reference import (
    CASES,
    Logits,
    assert_close,
    contrast,
    divergence,
    drawn,
    pairs,
    tensors,
)


@pytest.mark.parametrize("case", CASES)
def test_adacad_equals_the_float64_reference(case: str) -> None:
    alpha = divergence(*CASES[case])
    assert AdaCAD().alpha(*tensors(CASES[case])) == pytest.approx(alpha, abs=1e-6)
    assert_close(AdaCAD().combine(*tensors(CASES[case])), contrast(*CASES[case], alpha))


@pytest.mark.slow
def test_adacad_equals_the_float64_reference_on_logits_of_the_real_model(real_folder: Path) -> None:
    """Recorded here, along a greedy answer; beyond 1e-5 of a logit nothing may differ, the chosen token included."""
    from generators import prompts
    from generators.models.language_model import LocalModel

    model = LocalModel(real_folder, dtype="float32")
    passage = "The capital of Ruritania has been Strelsau since 1733, when King Rudolf moved the court from Zenda."
    seen = []
    for question in ("What is the capital of Ruritania?", "Who moved the court of Ruritania, and from where?"):
        rows = [
            model.chat_tokens(prompts.short_answer(question, passage)),
            model.chat_tokens(prompts.short_answer(question)),
        ]
        state = model.prefill(rows)
        for _ in range(12):
            seen.append((state.logits[0].float().numpy().copy(), state.logits[1].float().numpy().copy()))
            token = int(state.logits[0].argmax())
            if token in model.eos_ids:
                break
            model.advance(state, [token, token])
    alphas = [divergence(*pair) for pair in seen]
    assert len(seen) >= 6
    assert max(alphas) > 0.2  # the sample holds conflict, and agreement
    assert min(alphas) < 0.01
    for pair, alpha in zip(seen, alphas, strict=True):
        expected = contrast(*pair, alpha)
        out = AdaCAD().combine(*tensors(pair))
        assert AdaCAD().alpha(*tensors(pair)) == pytest.approx(alpha, abs=1e-5)
        np.testing.assert_allclose(out.numpy(), expected, rtol=1e-5, atol=1e-5)
        assert int(out.argmax()) == int(expected.argmax())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(pairs())
def test_alpha_lies_between_zero_and_ln_two(pair: tuple[Logits, Logits]) -> None:
    alpha = AdaCAD().alpha(*tensors(pair))
    assert 0.0 <= alpha <= LN2
    assert alpha == pytest.approx(divergence(*pair), abs=1e-5)


def test_extreme_logits_stay_finite_and_reach_the_bound() -> None:
    pair = np.array([1e4, 0.0, -1e4], np.float32), np.array([-1e4, 0.0, 1e4], np.float32)
    np.testing.assert_allclose(AdaCAD().combine(*tensors(pair)).numpy(), contrast(*pair, math.log(2)), rtol=1e-6)


def test_equal_branches_give_alpha_zero_and_unchanged_logits() -> None:
    same, _ = tensors(drawn(5, 4096, 9.0))
    assert AdaCAD().alpha(same, same.clone()) == 0.0
    assert torch.equal(AdaCAD().combine(same, same.clone()), same)


def test_the_floor_is_the_least_alpha() -> None:
    z = torch.tensor([1.0, 2.0, 3.0])
    assert AdaCAD(floor=0.3).alpha(z, z) == 0.3
    assert AdaCAD(floor=0.3).alpha(torch.tensor([50.0, 0.0]), torch.tensor([0.0, 50.0])) == pytest.approx(LN2, abs=1e-6)


@pytest.mark.parametrize("floor", [-0.1, 0.7, math.nan])
def test_a_floor_out_of_range_is_refused(floor: float) -> None:
    with pytest.raises(InputError) as refused:
        AdaCAD(floor)
    assert "ln 2" in refused.value.fix
