from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generators.policies.coiecd import COIECD
from indexes.errors import InputError
from tests.generators.policies.reference import CASES, Exact, Logits, contrast, entropy, log_softmax, tensors


def bounds(z_c: Logits, z_0: Logits, ratio: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """As the paper states them: which tokens are ordinary, and which lie too near a bound to say in float32."""
    shift = -log_softmax(z_c) - entropy(z_0)
    possible = np.isfinite(shift)
    delta = np.full_like(shift, np.nan)
    delta[possible] = log_softmax(shift[possible])
    low, high = np.nanmin(delta) + math.log(ratio), np.nanmax(delta) - math.log(ratio)
    if np.sum(delta[possible] < low) == 1:
        low = -np.inf
    near = (np.abs(delta - low) < 1e-4) | (np.abs(delta - high) < 1e-4)
    return possible & (delta >= low) & (delta <= high), near


def expected(z_c: Logits, z_0: Logits, alpha: float, ratio: float) -> tuple[Exact, NDArray[np.bool_]]:
    ordinary, near = bounds(z_c, z_0, ratio)
    c, m = log_softmax(z_c), log_softmax(z_0)
    scores = np.where(ordinary, contrast(c, m, alpha - 1), contrast(c, m, alpha))
    return scores - c[0] + z_c[0] if np.isfinite(c[0]) else scores - c[-1] + z_c[-1], near


@pytest.mark.parametrize(("alpha", "ratio"), [(1.0, 4.0), (0.5, 4.0), (1.0, 2.0)])
@pytest.mark.parametrize("case", CASES)
def test_coiecd_equals_the_float64_reference(case: str, alpha: float, ratio: float) -> None:
    pair = CASES[case]
    wanted, near = expected(*pair, alpha, ratio)
    out = COIECD(alpha, ratio).combine(*tensors(pair)).numpy()
    sure = np.isfinite(wanted) & ~near
    assert near.sum() <= 0.002 * near.size
    np.testing.assert_array_equal(np.isfinite(out), np.isfinite(wanted))
    np.testing.assert_allclose(out[sure], wanted[sure], rtol=1e-5, atol=1e-5 * np.abs(wanted[sure]).max())


def test_a_sure_context_is_taken_as_it_is() -> None:
    with_context, without = torch.tensor([8.0, 2.0, 1.0, -20.0]), torch.tensor([0.0, 9.0, 1.0, -20.0])
    out = COIECD().combine(with_context, without)
    assert torch.equal(out[:3], with_context[:3])


def test_rivals_of_an_unsure_context_are_contrasted_as_in_cad() -> None:
    with_context, without = torch.tensor([2.0, 1.5, -3.0, -20.0]), torch.tensor([4.0, 0.0, -3.0, -20.0])
    out = COIECD().combine(with_context, without)
    gained = torch.log_softmax(with_context, 0) - torch.log_softmax(without, 0)
    torch.testing.assert_close(out[:2], (with_context + gained)[:2])
    assert int(out.argmax()) == 1
    assert out[2] == with_context[2]


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"alpha": -1.0}, "0 or more"),
        ({"alpha": math.nan}, "0 or more"),
        ({"ratio": 1.0}, "above 1"),
        ({"ratio": math.inf}, "above 1"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, float], hint: str) -> None:
    with pytest.raises(InputError) as refused:
        COIECD(**options)
    assert hint in refused.value.fix
