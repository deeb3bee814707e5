"""The two branches of one answer, with the evidence and without it: when each runs, and how far they diverge.

Together they run as one batch, a token at a time. Apart, the branch without evidence ("memory") waits until it is asked
and then reads all tokens that it is behind in one pass: several tokens cost a processor little more than one, because
most of the work is to fetch the weights. A divergence that was not measured in time is measured then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from generators.policies.divergences import jensen_shannon

if TYPE_CHECKING:
    from torch import Tensor

MOST_BEHIND = 32  # tokens; bounds the logits that are kept for later to some 40 MB


class Continuable(Protocol):
    """What the branches ask of a language model (``generators.models.language_model.LocalModel`` is one)."""

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:  # noqa: ANN401 (each model keeps its own kind of state)
        """Read the prompts into one state; its ``logits`` have shape [rows, vocabulary]."""

    def prefill_apart(self, rows: Sequence[Sequence[int]]) -> Sequence[Any]:
        """Read the prompts into a state each."""

    def advance(self, state: Any, tokens: Sequence[int]) -> Tensor:  # noqa: ANN401
        """Append one token to each row; the next logits, shape [rows, vocabulary]."""

    def extend(self, state: Any, tokens: Sequence[int]) -> Tensor:  # noqa: ANN401
        """Append several tokens to the only row; the logits behind each, shape [tokens, vocabulary]."""


class Branches(Protocol):
    """One answer as it grows, seen by both branches."""

    @property
    def context(self) -> Tensor:
        """Logits of the next token with the evidence, shape [vocabulary]."""

    def memory(self) -> Tensor | None:
        """Logits of the next token without the evidence, shape [vocabulary]; ``None`` where there is no such branch."""

    def append(self, token: int) -> None:
        """Take the token that was chosen."""

    def divergences(self) -> list[float]:
        """Jensen-Shannon divergence of the branches at every token so far, the next one included; NaN for one branch."""


class Together:
    """Both branches, or the one with evidence alone, as one batch.

    Parameters
    ----------
    with_context, without
        Prompts as tokens.
    """

    def __init__(self, model: Continuable, with_context: Sequence[int], without: Sequence[int] | None) -> None:
        self._model = model
        self._state = model.prefill([with_context] if without is None else [with_context, without])
        self._logits: Tensor = self._state.logits
        self._divergences: list[float] = []
        self._measure()

    @property
    def context(self) -> Tensor:
        """Logits of the next token with the evidence."""
        return self._logits[0]

    def memory(self) -> Tensor | None:
        """Logits of the next token without the evidence."""
        return self._logits[1] if len(self._logits) > 1 else None

    def append(self, token: int) -> None:
        """Run both branches on the token."""
        self._logits = self._model.advance(self._state, [token] * len(self._logits))
        self._measure()

    def divergences(self) -> list[float]:
        """Divergence at every token so far."""
        return list(self._divergences)

    def _measure(self) -> None:
        memory = self.memory()
        self._divergences.append(math.nan if memory is None else jensen_shannon(self.context, memory))


class Apart:
    """Both branches, where memory runs only when it is asked, or ``MOST_BEHIND`` tokens behind.

    Parameters
    ----------
    with_context, without
        Prompts as tokens.
    """

    def __init__(self, model: Continuable, with_context: Sequence[int], without: Sequence[int]) -> None:
        self._model = model
        self._context_state, self._memory_state = model.prefill_apart([with_context, without])
        self._context: Tensor = self._context_state.logits[0]
        self._memory: Tensor = self._memory_state.logits[0]
        self._behind: list[int] = []  # tokens that memory has not read
        self._unmeasured: list[Tensor] = [self._context]  # the context's logits whose divergence is not known yet
        self._divergences: list[float] = []

    @property
    def context(self) -> Tensor:
        """Logits of the next token with the evidence."""
        return self._context

    def memory(self) -> Tensor:
        """Let memory catch up; logits of its next token."""
        self._catch_up()
        return self._memory

    def append(self, token: int) -> None:
        """Run the branch with evidence on the token."""
        self._context = self._model.advance(self._context_state, [token])[0]
        self._behind.append(token)
        self._unmeasured.append(self._context)
        if len(self._behind) >= MOST_BEHIND:
            self._catch_up()

    def divergences(self) -> list[float]:
        """Divergence at every token so far; memory catches up for it."""
        self._catch_up()
        return list(self._divergences)

    def _catch_up(self) -> None:
        rows = [self._memory] if len(self._unmeasured) > len(self._behind) else []
        if self._behind:
            rows += list(self._model.extend(self._memory_state, self._behind))
        for context, memory in zip(self._unmeasured, rows, strict=True):
            self._divergences.append(jensen_shannon(context, memory))
        self._memory = rows[-1] if rows else self._memory
        self._behind, self._unmeasured = [], []
