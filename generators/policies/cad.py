"""Context-aware decoding (CAD): what the evidence adds to memory, strengthened by a fixed weight."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from generators.policies.base import present
from generators.policies.contrast import contrast
from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class CAD:
    """``(1 + α) z_c − α z_0`` with a fixed weight (Shi et al. 2023, arXiv:2305.14739, eq. 2).

    Parameters
    ----------
    alpha
        Weight of the contrast, 0 or more. The authors use 1 for question answering and 0.5 for summaries.
    """

    alpha: float = 1.0

    name: ClassVar[str] = "cad"
    needs_memory: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.alpha) and self.alpha >= 0):
            raise InputError(f"CAD cannot use alpha={self.alpha}.", "Give alpha a finite value of 0 or more.")

    def start(self) -> CAD:
        """Nothing is remembered."""
        return self

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Contrast with fixed α."""
        return contrast(with_context, present(without, self.name), self.alpha)
