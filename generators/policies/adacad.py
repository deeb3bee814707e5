"""AdaCAD: contrast that is as strong as evidence and memory disagree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generators.policies.base import present
from generators.policies.contrast import contrast
from generators.policies.divergences import LN2, jensen_shannon
from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class AdaCAD:
    """CAD whose weight is the disagreement of the branches (Wang et al. 2025, arXiv:2409.07394, eqs. 3-5).

    ``α_t = max(JSD(p_c ‖ p_0), floor)`` with the natural logarithm, so α is at most ln 2: where evidence and memory agree
    the model is left alone, where they conflict the evidence is strengthened.

    Parameters
    ----------
    floor
        Least α, from 0 to ln 2. The authors use 0 for question answering and 0.3 for long answers.
    """

    floor: float = 0.0

    name: ClassVar[str] = "adacad"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.floor <= LN2:
            raise InputError(
                f"AdaCAD cannot use floor={self.floor}.", f"Give floor a value from 0 to {LN2:.4f} (ln 2)."
            )

    def start(self) -> AdaCAD:
        """Nothing is remembered."""
        return self

    def alpha(self, with_context: Tensor, without: Tensor) -> float:
        """Weight of the contrast for these two branches, in nats."""
        return max(jensen_shannon(with_context, without), self.floor)

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Contrast with α set by the branches' divergence."""
        memory = present(without, self.name)
        return contrast(with_context, memory, self.alpha(with_context, memory))
