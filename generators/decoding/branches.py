"""The two branches of one answer, with the evidence and without it, and how far they diverge.

They run as one batch, a token at a time: most of a token's work is to fetch the weights, so that a second row costs a
processor about a tenth more. (To let the branch without evidence wait and catch up only when it is asked was slower.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from generators.policies.divergences import jensen_shannon

if TYPE_CHECKING:
    from torch import Tensor


class Continuable(Protocol):
    """What the branches ask of a language model (``generators.models.language_model.LocalModel`` is one)."""

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:  # noqa: ANN401 (each model keeps its own kind of state)
        """Read the prompts into one state; its ``logits`` have shape [rows, vocabulary]."""

    def advance(self, state: Any, tokens: Sequence[int]) -> Tensor:  # noqa: ANN401
        """Append one token to each row; the next logits, shape [rows, vocabulary]."""


class Branches:
    """One answer as it grows, seen by both branches, or by the one with evidence alone.

    Parameters
    ----------
    with_context, without
        Prompts as tokens.
    """

    def __init__(self, model: Continuable, with_context: Sequence[int], without: Sequence[int] | None) -> None:
        self._model = model
        self._state = model.prefill([with_context] if without is None else [with_context, without])
        self._logits: Tensor = self._state.logits

    @property
    def context(self) -> Tensor:
        """Logits of the next token with the evidence, shape [vocabulary]."""
        return self._logits[0]

    @property
    def memory(self) -> Tensor | None:
        """Logits of the next token without the evidence, shape [vocabulary]; ``None`` where there is no such branch."""
        return self._logits[1] if len(self._logits) > 1 else None

    def append(self, token: int) -> None:
        """Run the branches on the token that was chosen."""
        self._logits = self._model.advance(self._state, [token] * len(self._logits))

    def divergence(self) -> float:
        """Jensen-Shannon divergence of the branches at the next token, in nats; NaN for one branch."""
        return math.nan if self.memory is None else jensen_shannon(self.context, self.memory)
