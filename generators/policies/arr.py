"""ARR: trust whichever branch is surer, and the more the further they lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generators.policies.base import present
from generators.policies.contrast import mixture
from generators.policies.divergences import LN2, jensen_shannon, largest_probability

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class ARR:
    """Adaptive regime routing (Jiang et al. 2026, arXiv:2606.10298, version 1).

    ``q ∝ p_0^{1−τ} p_c^τ`` with ``τ = 1 + s`` where the context's most probable token has the higher probability of the
    two branches' and ``τ = 1 − s`` where not; ``s = JSD(p_c ‖ p_0) / ln 2``. So a surer context is strengthened beyond
    itself, a surer memory drawn upon.
    """

    name: ClassVar[str] = "arr"
    needs_memory: ClassVar[bool] = True

    def start(self) -> ARR:
        """Nothing is remembered."""
        return self

    def tau(self, with_context: Tensor, without: Tensor) -> float:
        """Weight of the context in the mixture, from 0 to 2."""
        strength = jensen_shannon(with_context, without) / LN2
        surer = largest_probability(with_context) > largest_probability(without)
        return 1 + strength if surer else 1 - strength

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Mix with τ set by the branches."""
        memory = present(without, self.name)
        return mixture(with_context, memory, self.tau(with_context, memory))
