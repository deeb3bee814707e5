"""Contrast and mixture of two branches' logits: points on the line through both."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def contrast(with_context: Tensor, without: Tensor, alpha: float) -> Tensor:
    """``(1 + α) z_c − α z_0`` in float32, written as ``z_c + α (z_c − z_0)``, which rounds less.

    A token that the context branch rules out (−inf) stays ruled out. One that only memory rules out keeps its logit
    ``z_c``: an infinite contrast says nothing about how much more likely the evidence made it.
    """
    import torch

    context, memory = with_context.float(), without.float()
    difference = torch.where(torch.isfinite(context) & torch.isfinite(memory), context - memory, 0.0)
    return context + alpha * difference


def mixture(with_context: Tensor, without: Tensor, tau: float) -> Tensor:
    """``(1 − τ) z_0 + τ z_c`` in float32: logits of the power family ``p_0^{1−τ} p_c^τ``, of which they give each member.

    τ = 0 is memory, 1 is the context, between them both must find a token likely, above 1 what the context adds to
    memory is strengthened (Jiang et al. 2026, arXiv:2606.10298, whose name for the weight is kept).

    A token of probability 0 in one branch has it in every mixture that gives that branch a positive weight; where
    memory's weight is negative, its zeros are ignored as in ``contrast``. Were no token left, the context decides alone.
    """
    import torch

    context, memory = with_context.float(), without.float()
    if tau >= 1:
        mixed = contrast(context, memory, tau - 1)
    elif tau <= 0:
        mixed = contrast(memory, context, -tau)
    else:
        both = torch.isfinite(context) & torch.isfinite(memory)
        mixed = torch.where(both, memory + tau * (context - memory), -torch.inf)
    return mixed if bool(torch.isfinite(mixed).any()) else context
