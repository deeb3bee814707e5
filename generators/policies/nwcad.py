"""NWCAD: for each token either memory, or the context, or, where neither is sure, a mixture of both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generators.policies.base import present
from generators.policies.cocoa import CoCoA
from generators.policies.divergences import LN2, jensen_shannon, margin
from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

TOP = 50


@dataclass(frozen=True, slots=True)
class NWCAD:
    """No-worse context-aware decoding (Tao and Agrawal, Findings ACL 2026, arXiv:2604.16686).

    Where the branches' Jensen-Shannon divergence over the most probable 50 tokens is at most ``divergence`` and memory's
    margin (probability of its first token less that of its second) at least ``prior``, the context adds nothing and memory's
    logits are taken as they are. Else, where the context's margin is at least ``context``, its logits are. Else the branches
    are mixed by CoCoA.

    Not established, and chosen here: the three thresholds (the authors tune theirs, and mix few tokens in a hundred), and
    that the 50 are those of either branch, made to sum to 1. The mixture is this package's CoCoA, with its own reservation.

    Parameters
    ----------
    divergence
        In nats, from 0 to ln 2.
    prior, context
        Least margins, from 0 to 1.
    """

    divergence: float = 0.05
    prior: float = 0.5
    context: float = 0.1

    name: ClassVar[str] = "nwcad"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        limits = (("divergence", self.divergence, LN2), ("prior", self.prior, 1.0), ("context", self.context, 1.0))
        for option, value, most in limits:
            if math.isnan(value) or not 0 <= value <= most:
                raise InputError(
                    f"NWCAD cannot use {option}={value}.", f"Give {option} a value from 0 to {round(most, 4)}."
                )

    def start(self) -> NWCAD:
        """Nothing is remembered."""
        return self

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Logits of the branch that the gates choose, or the mixture."""
        memory = present(without, self.name)
        if jensen_shannon(*_top(with_context, memory)) <= self.divergence and margin(memory) >= self.prior:
            return memory.float()
        if margin(with_context) >= self.context:
            return with_context.float()
        return CoCoA().combine(with_context, memory)


def _top(with_context: Tensor, without: Tensor) -> tuple[Tensor, Tensor]:
    """Both branches' logits of the tokens that are among the most probable of either."""
    import torch

    size = min(TOP, with_context.numel())
    kept = torch.zeros_like(with_context, dtype=torch.bool)
    for branch in (with_context, without):
        kept[torch.topk(branch, size).indices] = True
    return with_context[kept], without[kept]
