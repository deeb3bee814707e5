"""Greedy: the branch with context alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Greedy:
    """The model with the evidence in its prompt, as it is."""

    name: ClassVar[str] = "greedy"
    needs_memory: ClassVar[bool] = False

    def start(self) -> Greedy:
        """Nothing is remembered."""
        return self

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:  # noqa: ARG002 (memory is not asked)
        """Return the logits with context, in float32."""
        return with_context.float()
