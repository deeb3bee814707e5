"""What a decoder asks of a policy, and what a policy gives it for one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from indexes.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


class Combiner(Protocol):
    """How the two branches of one answer become one; what must be remembered between its tokens lives here."""

    def combine(self, with_context: Tensor, without: Tensor | None) -> Tensor:
        """Logits to decode from, float32, shape [vocabulary], from each branch's logits of that shape."""


class Policy(Protocol):
    """A way of decoding: a value that never changes."""

    @property
    def name(self) -> str:
        """Name in the registry."""

    @property
    def needs_memory(self) -> bool:
        """Whether the branch without context must be there."""

    def start(self) -> Combiner:
        """Begin an answer. A policy that remembers nothing between tokens returns itself."""


def present(without: Tensor | None, name: str) -> Tensor:
    """Logits of the branch without context, which the policy ``name`` cannot do without.

    Raises
    ------
    InputError
        They were not given.
    """
    if without is None:
        raise InputError(
            f"The decoding policy '{name}' compares two branches, but only the one with context was given.",
            "Give the prompt without context as well, or use the policy 'greedy'.",
        )
    return without
