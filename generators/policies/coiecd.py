"""COIECD: contrast only for tokens whose information is out of the ordinary in the context's distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generators.policies.base import present
from generators.policies.divergences import log_probabilities
from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class COIECD:
    """Decoding under a contextual information-entropy constraint (Yuan et al., Findings ACL 2024, arXiv:2402.11893).

    With ``I = −log p_c`` (a token's information behind the context), ``H`` (entropy of ``p_0``) and
    ``δ = softmax(I − H)`` over the vocabulary, a token is ordinary where ``min δ · ratio ≤ δ ≤ max δ / ratio``. It scores

        ``log p_0 + α (log p_c − log p_0)`` where it is ordinary, ``log p_c + α (log p_c − log p_0)`` where not.

    H is the same for all tokens and the softmax cancels it, so the bounds say: within ``ratio`` of the most probable token
    (or of the least probable one) a token is out of the ordinary, a sign of conflict, and is contrasted as in CAD; with the
    authors' α = 1 the others keep ``log p_c``. The authors' program adds an exception, kept here: where only one token lies
    below the lower bound, the context is sure and that bound falls away.

    Parameters
    ----------
    alpha
        Weight of the contrast, 0 or more; the authors use 1.
    ratio
        Above 1; the authors use 4 (their λ is its inverse, 0.25).
    """

    alpha: float = 1.0
    ratio: float = 4.0

    name: ClassVar[str] = "coiecd"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and self.alpha >= 0):
            raise InputError(f"COIECD cannot use alpha={self.alpha}.", "Give alpha a finite value of 0 or more.")
        if not (math.isfinite(self.ratio) and self.ratio > 1):
            raise InputError(f"COIECD cannot use ratio={self.ratio}.", "Give ratio a finite value above 1.")

    def start(self) -> COIECD:
        """Nothing is remembered."""
        return self

    def ordinary(self, with_context: Tensor) -> Tensor:
        """Which tokens lie within the bounds, bool, shape [vocabulary]."""
        import torch

        log_p, reach = log_probabilities(with_context), math.log(self.ratio)
        possible = torch.isfinite(log_p)
        rare = log_p - log_p[possible].min() < reach
        likely = log_p.max() - log_p < reach
        if int(likely.sum()) == 1:
            return possible & ~rare
        return possible & ~rare & ~likely

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Contrast that spares the ordinary tokens."""
        import torch

        memory = log_probabilities(present(without, self.name))
        context = log_probabilities(with_context)
        difference = torch.where(torch.isfinite(context) & torch.isfinite(memory), context - memory, 0.0)
        weight = torch.where(self.ordinary(with_context), self.alpha - 1.0, self.alpha)
        return with_context.float() + weight * difference  # raw logits: the same scores but for a constant
