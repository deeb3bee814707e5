"""Linear layers whose products are made of 8-bit integers: three to four times faster than float32 on processors with VNNI.

Weights get one scale for each output channel when the model is read, activations one for each token as they come
("dynamic" quantisation; ZeroQuant, arXiv 2206.01861, section 4.1). Both are symmetric, so that there are no zero
points, and the integer sums are exact: a row's result does not depend on the rows beside it.

oneDNN multiplies a few rows by laying the weight out anew, which costs as much as the product. Where it can, the weight is
therefore laid out once ("packed"): two rows then cost a twentieth more than one, not three quarters more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.nn import Linear, Module

LARGEST = 127.0  # of a signed byte, kept symmetric
LEAST_SCALE = 1e-12  # a row of zeros has no scale of its own
SHIFT = 128  # what turns a signed byte into an unsigned one, as packed products read their rows


class Product(Protocol):
    """A weight of bytes that rows of bytes are multiplied with."""

    def __call__(self, rows: Tensor) -> Tensor:
        """Exact integer sums as float32, shape [n, out], of signed bytes of shape [n, in]."""


class Plain:
    """A weight as it is.

    Parameters
    ----------
    weight
        Signed bytes, shape [out, in].
    """

    def __init__(self, weight: Tensor) -> None:
        self._weight = weight.t()

    def __call__(self, rows: Tensor) -> Tensor:
        """Multiply by torch's own integer product."""
        import torch

        return torch._int_mm(rows, self._weight).float()  # noqa: SLF001 (no public name)


class Packed:
    """A weight laid out once for oneDNN's quantised linear operator (torch's own, as its compiler uses it).

    Parameters
    ----------
    weight
        Signed bytes, shape [out, in].
    """

    def __init__(self, weight: Tensor) -> None:
        import torch

        self._multiply: Callable[..., Tensor] = torch.ops.onednn.qlinear_pointwise.default
        self._weight = torch.ops.onednn.qlinear_prepack(weight, None)
        self._ones = torch.ones(len(weight))
        self._zeros = torch.zeros(len(weight), dtype=torch.int32)

    def __call__(self, rows: Tensor) -> Tensor:
        """Multiply unsigned bytes whose zero is ``SHIFT``; scales stay 1, so that the sums come out whole."""
        import torch

        shifted = rows.bitwise_xor(-SHIFT).view(torch.uint8)  # the sign bit turned over adds 128
        weight = (self._weight, self._ones, self._zeros)
        return self._multiply(shifted, 1.0, SHIFT, *weight, None, 1.0, 0, torch.float32, "none", [], "")


@dataclass(frozen=True, slots=True, eq=False)
class Int8Product:
    """What a linear layer computes, with a weight of bytes.

    Parameters
    ----------
    product
        With the weight as bytes.
    scale
        Of each output channel, float32, shape [out].
    bias
        Float32, shape [out], or none.
    """

    product: Product
    scale: Tensor
    bias: Tensor | None

    @classmethod
    def of(cls, linear: Linear) -> Int8Product:
        """Round the weight of a layer, in any floating type, to 255 levels per output channel."""
        rounded, scale = quantise(linear.weight.detach().float())
        bias = None if linear.bias is None else linear.bias.detach().float()
        return cls(Packed(rounded) if can_pack() else Plain(rounded), scale.squeeze(1), bias)

    def __call__(self, x: Tensor) -> Tensor:
        """Multiply ``x``, float32, shape [..., in]; the result has shape [..., out]."""
        rows, scale = quantise(x.reshape(-1, x.shape[-1]))
        product = self.product(rows).mul_(scale).mul_(self.scale)
        if self.bias is not None:
            product.add_(self.bias)
        return product.reshape(*x.shape[:-1], -1)


@lru_cache(maxsize=1)
def can_pack() -> bool:
    """Whether packed products exist here and their sums are exact: processors without VNNI saturate at 16 bits."""
    import torch

    largest = int(LARGEST)
    rows = torch.full((2, 64), largest, dtype=torch.int8)
    rows[1] = -largest
    weight = torch.full((16, 64), largest, dtype=torch.int8)
    try:
        return torch.equal(Packed(weight)(rows), Plain(weight)(rows))
    except (AttributeError, RuntimeError, NotImplementedError):  # this build of torch has no oneDNN, or another one
        return False


def quantise(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Round each row to signed bytes: ``rows ≈ bytes · scale``, shapes [n, d] and [n, 1]."""
    import torch

    scale = rows.abs().amax(dim=1, keepdim=True).clamp_min_(LEAST_SCALE).div_(LARGEST)
    return (rows / scale).round_().to(torch.int8), scale


def quantise_linears(model: Module) -> None:
    """Let every linear layer of ``model`` compute in bytes, and drop its own weight; all that is left becomes float32."""
    from torch.nn import Linear

    for module in list(model.modules()):
        if type(module) is Linear:
            layer: Any = module  # a layer's forward is replaced on the instance, which its type does not foresee
            layer.forward = Int8Product.of(module)
            layer.weight = layer.bias = None
    model.float()
