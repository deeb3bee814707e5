"""Our own policy: AdaCAD, unless the context leaves the model at a loss, more than it was without; then memory leads."""

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
    """A context that holds what is asked leaves few tokens to choose from; one that leaves many gives way to memory.

    1. Where the context's most probable token has at least the probability ``sure``, it is taken, whatever memory says.
    2. Else, where ``H(p_c) ≤ max(H(p_0) + rise, spread)``, the context is strengthened as by AdaCAD (Wang et al., NAACL 2025):
       ``z_c + α (z_c − z_0)`` with ``α = JSD(p_c ‖ p_0)`` in nats.
    3. Else memory leads as in ARR (arXiv:2606.10298), ``q ∝ p_0^{1−τ} p_c^τ`` with ``τ = 1 − √(JSD(p_c ‖ p_0) / ln 2)``: not
       the divergence but the distance, which is a metric (Endres and Schindelin 2003) and moves further towards memory.

    ARR lets memory lead wherever its largest probability is the larger one. That loses right contexts with a stronger
    model, whose memory is often surer of something else than the context is; but such a context still names its answer,
    and its entropy is low. The rule and its defaults were chosen on the ``tune`` part of the questions of
    ``evaluation.slices``.

    Parameters
    ----------
    sure
        Above 0; more than 1 asks memory at every token.
    spread
        Entropy in nats up to which a context is not given up; infinite for never.
    rise
        By how many nats the context must raise the entropy besides.
    """

    sure: float = 0.9
    spread: float = 2.0
    rise: float = 0.25

    name: ClassVar[str] = "symposia"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.sure > 0:
            raise InputError(f"The policy 'symposia' cannot use sure={self.sure}.", "Give sure a value above 0.")
        if not self.spread >= 0:
            raise InputError(f"The policy 'symposia' cannot use spread={self.spread}.", "Give spread 0 nats or more.")
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
        if entropy(with_context) <= max(entropy(memory) + self.rise, self.spread):
            return contrast(with_context, memory, divergence)
        return mixture(with_context, memory, 1 - math.sqrt(divergence / LN2))
