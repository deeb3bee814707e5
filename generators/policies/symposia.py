"""Our own policy: AdaCAD, until a context leaves the model less sure than it was without; then memory leads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generators.policies.base import present
from generators.policies.contrast import contrast, mixture
from generators.policies.divergences import LN2, entropy, jensen_shannon, largest_probability
from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Symposia:
    """A context that holds what is asked lowers the entropy of the next token; one that raises it gives way to memory.

    1. Where the context's most probable token has at least the probability ``sure``, it is taken, whatever memory says.
    2. Else, where ``H(p_c) ≤ H(p_0) + rise``, the context is strengthened as by AdaCAD (Wang et al., NAACL 2025):
       ``z_c + α (z_c − z_0)`` with ``α = JSD(p_c ‖ p_0)`` in nats.
    3. Else memory leads as in ARR (arXiv:2606.10298), ``q ∝ p_0^{1−τ} p_c^τ`` with ``τ = 1 − √(JSD(p_c ‖ p_0) / ln 2)``: not
       the divergence but the distance, which is a metric (Endres and Schindelin 2003) and moves further towards memory.

    ARR lets memory lead wherever its largest probability is the larger one. That loses right contexts with a stronger
    model, whose memory is often surer than the context of something else, but rarely by this much entropy.
    The rule and its defaults were chosen on the ``tune`` part of the questions of ``evaluation.slices``.

    Parameters
    ----------
    sure
        Above 0; more than 1 asks memory at every token.
    rise
        In nats: by how much a context must raise the entropy for memory to lead; infinite for never.
    """

    sure: float = 0.9
    rise: float = 0.25

    name: ClassVar[str] = "symposia"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.sure > 0:
            raise InputError(f"The policy 'symposia' cannot use sure={self.sure}.", "Give sure a value above 0.")
        if math.isnan(self.rise):
            raise InputError("The policy 'symposia' cannot use rise=nan.", "Give rise a number of nats, such as 0.25.")

    def start(self) -> Symposia:
        """Nothing is remembered."""
        return self

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Follow a sure context; else strengthen it, or draw on memory where it confuses."""
        if largest_probability(with_context) >= self.sure:
            return with_context.float()
        memory = present(without, self.name)
        divergence = jensen_shannon(with_context, memory)
        if entropy(with_context) <= entropy(memory) + self.rise:
            return contrast(with_context, memory, divergence)
        return mixture(with_context, memory, 1 - math.sqrt(divergence / LN2))
