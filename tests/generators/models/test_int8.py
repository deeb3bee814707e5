from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from generators.models.int8 import Int8Product, Packed, Plain, can_pack, quantise, quantise_linears


@given(seed=st.integers(0, 1000), rows=st.integers(1, 9), scale=st.floats(1e-3, 1e3))
def test_a_rounded_row_is_within_half_a_level_of_itself(seed: int, rows: int, scale: float) -> None:
    values = torch.randn(rows, 16, generator=torch.Generator().manual_seed(seed)) * scale
    rounded, levels = quantise(values)
    assert rounded.dtype is torch.int8
    assert torch.all((rounded * levels - values).abs() <= levels * 0.5001)


def test_a_row_of_zeros_stays_zero() -> None:
    rounded, levels = quantise(torch.zeros(2, 8))
    assert torch.equal(rounded * levels, torch.zeros(2, 8))


def test_the_layer_is_close_to_the_one_it_replaces_bias_and_shape_included() -> None:
    torch.manual_seed(0)
    linear = torch.nn.Linear(64, 48)
    x = torch.randn(3, 5, 64)
    with torch.inference_mode():
        expected, found = linear(x), Int8Product.of(linear)(x)
    assert found.shape == expected.shape
    assert float((found - expected).norm() / expected.norm()) < 0.02


def test_a_row_does_not_depend_on_the_rows_beside_it() -> None:
    torch.manual_seed(1)
    layer, x = Int8Product.of(torch.nn.Linear(32, 24)), torch.randn(17, 32)
    x[3] *= 1000
    with torch.inference_mode():
        together = layer(x)
        assert all(torch.equal(together[i : i + 1], layer(x[i : i + 1])) for i in range(len(x)))


def test_every_linear_layer_is_replaced_and_the_rest_becomes_float32() -> None:
    model = torch.nn.Sequential(
        torch.nn.Embedding(7, 8), torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.LayerNorm(8))
    ).to(torch.bfloat16)
    quantise_linears(model)
    assert isinstance(model[1][0].forward, Int8Product)
    assert model[1][0].weight is None
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    with torch.inference_mode():
        assert model(torch.tensor([1, 2])).shape == (2, 8)


@given(seed=st.integers(0, 1000), rows=st.integers(1, 9), width=st.integers(1, 300), out=st.integers(1, 40))
def test_a_packed_product_is_exact(seed: int, rows: int, width: int, out: int) -> None:
    if not can_pack():
        pytest.skip("this processor or this build of torch has no exact packed product")
    random = torch.Generator().manual_seed(seed)
    left = torch.randint(-127, 128, (rows, width), generator=random)
    right = torch.randint(-127, 128, (out, width), generator=random)
    found = Packed(right.to(torch.int8))(left.to(torch.int8))
    assert torch.equal(found, (left @ right.t()).float())
    if width > 1:  # torch's own product is wrong for a single column
        assert torch.equal(found, Plain(right.to(torch.int8))(left.to(torch.int8)))


def test_a_processor_that_saturates_is_not_asked_to_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    can_pack.cache_clear()
    monkeypatch.setattr(Packed, "__call__", lambda self, rows: Plain(torch.ones(16, 64, dtype=torch.int8))(rows))
    assert not can_pack()
    assert isinstance(Int8Product.of(torch.nn.Linear(8, 8)).product, Plain)
    can_pack.cache_clear()
