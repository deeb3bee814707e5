from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from generators.policies import CAD, LN2, AdaCAD, Greedy, Policy, contrast, jensen_shannon, policy
from indexes.errors import InputError

Logits = NDArray[np.float32]


def reference_softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.exp(z - z.max())
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def reference_divergence(z_c: Logits, z_0: Logits) -> float:
    p, q = (reference_softmax(z.astype(np.float64)) for z in (z_c, z_0))
    m = (p + q) / 2
    return 0.5 * sum(float(np.sum(one[one > 0] * np.log(one[one > 0] / m[one > 0]))) for one in (p, q))


def reference_contrast(z_c: Logits, z_0: Logits, alpha: float) -> NDArray[np.float64]:
    return (1 + alpha) * z_c.astype(np.float64) - alpha * z_0.astype(np.float64)


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)


def random_pair(seed: int, size: int, scale: float) -> tuple[Logits, Logits]:
    rng = np.random.default_rng(seed)
    z_c, z_0 = rng.normal(scale=scale, size=(2, size)).astype(np.float32)
    return z_c, z_0


@pytest.mark.parametrize("scale", [0.01, 1.0, 8.0, 60.0])
@pytest.mark.parametrize("size", [2, 300, 151_936])
def test_adacad_equals_the_float64_reference(size: int, scale: float) -> None:
    z_c, z_0 = random_pair(size, size, scale)
    alpha = reference_divergence(z_c, z_0)
    assert jensen_shannon(torch.from_numpy(z_c), torch.from_numpy(z_0)) == pytest.approx(alpha, abs=1e-6)
    combined = AdaCAD().combine(torch.from_numpy(z_c), torch.from_numpy(z_0)).numpy()
    np.testing.assert_allclose(combined, reference_contrast(z_c, z_0, alpha), rtol=1e-5, atol=1e-5 * max(scale, 1))


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0, 2.0])
def test_cad_equals_the_float64_reference(alpha: float) -> None:
    z_c, z_0 = random_pair(7, 1000, 5.0)
    combined = CAD(alpha).combine(torch.from_numpy(z_c), torch.from_numpy(z_0)).numpy()
    np.testing.assert_allclose(combined, reference_contrast(z_c, z_0, alpha), rtol=1e-5, atol=1e-5)


def test_peaked_and_offset_logits_lose_nothing() -> None:
    z_c, z_0 = random_pair(3, 500, 4.0)
    z_c[7], z_0[11] = 80.0, 90.0
    shifted = z_c + np.float32(512.0)  # softmax does not see a constant
    expected = reference_divergence(shifted, z_0)
    assert jensen_shannon(torch.from_numpy(shifted), torch.from_numpy(z_0)) == pytest.approx(expected, abs=1e-6)


def test_extreme_logits_stay_finite_and_reach_the_bound() -> None:
    z_c, z_0 = tensor(1e4, 0.0, -1e4), tensor(-1e4, 0.0, 1e4)
    assert jensen_shannon(z_c, z_0) == pytest.approx(LN2, abs=1e-6)
    combined = AdaCAD().combine(z_c, z_0)
    expected = reference_contrast(z_c.numpy(), z_0.numpy(), math.log(2))
    np.testing.assert_allclose(combined.numpy(), expected, rtol=1e-6)


def test_a_token_without_measurable_mass_on_one_side_does_not_overflow() -> None:
    z_c, z_0 = tensor(0.0, -100.0, 1.0), tensor(-100.0, 0.0, 1.0)
    expected = reference_divergence(z_c.numpy(), z_0.numpy())
    assert jensen_shannon(z_c, z_0) == pytest.approx(expected, abs=1e-6)


def test_equal_branches_give_alpha_zero_and_unchanged_logits() -> None:
    z, _ = random_pair(5, 4096, 9.0)
    same = torch.from_numpy(z)
    assert AdaCAD().alpha(same, same.clone()) == 0.0
    assert torch.equal(AdaCAD().combine(same, same.clone()), same)


def test_a_constant_offset_between_the_branches_is_no_disagreement() -> None:
    z, _ = random_pair(6, 400, 3.0)
    assert jensen_shannon(torch.from_numpy(z), torch.from_numpy(z) + 4.0) == pytest.approx(0.0, abs=1e-6)


def test_tokens_ruled_out_in_both_branches_stay_ruled_out() -> None:
    z_c, z_0 = tensor(1.0, -math.inf, 2.0), tensor(3.0, -math.inf, 0.5)
    expected = reference_divergence(z_c.numpy()[[0, 2]], z_0.numpy()[[0, 2]])
    assert jensen_shannon(z_c, z_0) == pytest.approx(expected, abs=1e-6)
    combined = AdaCAD().combine(z_c, z_0)
    assert combined[1] == -math.inf
    assert torch.isfinite(combined[[0, 2]]).all()


def test_tokens_ruled_out_in_one_branch_count_in_the_divergence() -> None:
    z_c, z_0 = tensor(0.0, 0.0, -math.inf), tensor(-math.inf, 0.0, 0.0)
    assert jensen_shannon(z_c, z_0) == pytest.approx(LN2 / 2, abs=1e-6)


def test_only_the_context_branch_can_rule_a_token_out() -> None:
    combined = CAD(1.0).combine(tensor(1.0, -math.inf, 2.0), tensor(-math.inf, 1.0, 1.0))
    assert combined.tolist() == [1.0, -math.inf, 3.0]


def test_half_precision_branches_are_combined_in_float32() -> None:
    z_c, z_0 = random_pair(9, 50, 2.0)
    half_c, half_0 = torch.from_numpy(z_c).bfloat16(), torch.from_numpy(z_0).bfloat16()
    for rule in (Greedy(), CAD(), AdaCAD()):
        combined = rule.combine(half_c, half_0)
        assert combined.dtype == torch.float32
        assert torch.equal(combined, rule.combine(half_c.float(), half_0.float()))


def test_combining_changes_neither_branch() -> None:
    z_c, z_0 = tensor(1.0, 2.0, -math.inf), tensor(0.5, -1.0, 2.0)
    kept = z_c.clone(), z_0.clone()
    AdaCAD(0.3).combine(z_c, z_0)
    assert torch.equal(z_c, kept[0])
    assert torch.equal(z_0, kept[1])


def test_the_floor_is_the_least_alpha() -> None:
    z = tensor(1.0, 2.0, 3.0)
    assert AdaCAD(floor=0.3).alpha(z, z) == 0.3
    far_c, far_0 = tensor(50.0, 0.0), tensor(0.0, 50.0)
    assert AdaCAD(floor=0.3).alpha(far_c, far_0) == pytest.approx(LN2, abs=1e-6)


finite = st.floats(-200, 200, width=32)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 40).flatmap(lambda n: st.tuples(*[arrays(np.float32, n, elements=finite)] * 2)))
def test_alpha_lies_between_zero_and_ln_two_and_is_symmetric(pair: tuple[Logits, Logits]) -> None:
    z_c, z_0 = map(torch.from_numpy, pair)
    alpha = jensen_shannon(z_c, z_0)
    assert 0.0 <= alpha <= LN2
    assert alpha == pytest.approx(reference_divergence(*pair), abs=1e-5)
    assert alpha == pytest.approx(jensen_shannon(z_0, z_c), abs=1e-6)


def test_contrast_with_weight_zero_is_the_context_branch() -> None:
    assert torch.equal(contrast(tensor(1.0, 2.0), tensor(9.0, -9.0), 0.0), tensor(1.0, 2.0))


def test_greedy_ignores_memory() -> None:
    assert not Greedy().needs_memory
    assert torch.equal(Greedy().combine(tensor(1.0, 2.0), tensor(9.0, -9.0)), tensor(1.0, 2.0))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: policy("greedy"), Greedy()),
        (lambda: policy("cad"), CAD(1.0)),
        (lambda: policy("cad", alpha=0.0), CAD(0.0)),
        (lambda: policy("adacad"), AdaCAD(0.0)),
        (lambda: policy("adacad", floor=0.3), AdaCAD(0.3)),
    ],
)
def test_the_registry_makes_each_policy(made: Callable[[], Policy], expected: Policy) -> None:
    assert made() == expected
    assert made().name == expected.name


@pytest.mark.parametrize(
    ("name", "options", "hint"),
    [
        ("adacat", {}, "'adacad'"),
        ("Greedy", {}, "'greedy'"),
        ("xyz", {}, "greedy, cad, adacad"),
        ("cad", {"alfa": 1.0}, "'alpha'"),
        ("greedy", {"alpha": 1.0}, "leave it out"),
        ("cad", {"alpha": -0.1}, "0 or more"),
        ("cad", {"alpha": math.nan}, "finite"),
        ("adacad", {"floor": 0.7}, "ln 2"),
        ("adacad", {"floor": math.nan}, "ln 2"),
    ],
)
def test_what_is_unknown_or_out_of_range_is_refused_with_the_remedy(
    name: str, options: dict[str, float], hint: str
) -> None:
    with pytest.raises(InputError) as refused:
        policy(name, **options)
    assert hint in refused.value.fix


@pytest.mark.parametrize("rule", [CAD(), AdaCAD()])
def test_contrastive_policies_refuse_a_missing_branch(rule: Policy) -> None:
    assert rule.needs_memory
    with pytest.raises(InputError, match=rule.name):
        rule.combine(tensor(1.0, 2.0), None)
