"""How much likelier a passage makes an answer: alone against nothing ("hold"), and among the others against its absence ("drop").

The two halves of SelfCite's reward (arXiv 2502.09604, section 3.1): ``hold(i) = log p(y | i) − log p(y | nothing)`` and
``drop(i) = log p(y | C) − log p(y | C without i)``, C being all passages; the latter is leave-one-out attribution
(AttriBoT, arXiv 2411.15102, eq. 1). Here both are per token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from generators import prompts
from retrievers.evidence import Evidence

Matrix = NDArray[np.float32]


class Scores(Protocol):
    """What attribution asks of a language model."""

    def chat_tokens(self, messages: prompts.Messages) -> list[int]:
        """Tokens of a chat prompt, up to where the reply begins."""

    def log_probs(self, prompts: Sequence[Sequence[int]], continuation: Sequence[int]) -> NDArray[np.float32]:
        """Log-probability of each continuation token behind each prompt, ``[prompts, tokens]``."""


@runtime_checkable
class Reads(Protocol):
    """What asking a language model for its own word needs of it."""

    def chat_tokens(self, messages: prompts.Messages) -> list[int]:
        """Tokens of a chat prompt, up to where the reply begins."""

    def encode(self, text: str) -> list[int]:
        """Tokens of plain text."""

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:  # noqa: ANN401 (each model keeps its own kind of state)
        """Read the prompts; the state's ``logits`` have shape [rows, vocabulary]."""


def hold(model: Scores, question: str, evidence: Sequence[Evidence], tokens: Sequence[int]) -> Matrix:
    """Nats by which each passage alone raises each token, ``[evidence, tokens]``; one batch."""
    alone = [model.chat_tokens(prompts.with_sources(question, [item])) for item in evidence]
    nothing = model.chat_tokens(prompts.without_sources(question))
    log_probs = model.log_probs([*alone, nothing], tokens)
    return np.asarray(log_probs[:-1] - log_probs[-1], dtype=np.float32)


def drop(
    model: Scores, question: str, evidence: Sequence[Evidence], finalists: Sequence[int], tokens: Sequence[int]
) -> Matrix:
    """Nats that each token loses where one of the finalists is taken away, ``[finalists, tokens]``.

    Parameters
    ----------
    finalists
        Positions in ``evidence``. They are put last, so that the keys and values of all that stands before are
        computed once for all prompts.
    """
    others = [item for i, item in enumerate(evidence) if i not in set(finalists)]
    chosen = [evidence[i] for i in finalists]
    lists = [[*others, *chosen], *([*others, *(item for item in chosen if item is not left)] for left in chosen)]
    rows = [
        model.chat_tokens(prompts.with_sources(question, items) if items else prompts.without_sources(question))
        for items in lists
    ]
    log_probs = model.log_probs(rows, tokens)
    return np.asarray(log_probs[0] - log_probs[1:], dtype=np.float32)


def yes_no(model: Reads, question: str, claim: str, evidence: Sequence[Evidence]) -> NDArray[np.float32]:
    """The model's own log-odds of "Yes" against "No", asked whether each passage supports the claim, in nats, ``[evidence]``."""
    if not evidence:
        return np.zeros(0, dtype=np.float32)
    state = model.prefill([model.chat_tokens(prompts.does_it_support(question, claim, item)) for item in evidence])
    yes, no = (model.encode(word)[0] for word in ("Yes", "No"))
    return np.asarray((state.logits[:, yes] - state.logits[:, no]).float().numpy(), dtype=np.float32)


def per_sentence(gains: Matrix, rows: Sequence[Sequence[int]]) -> Matrix:
    """Mean over each sentence's tokens, ``[passages, sentences]``, from ``[passages, tokens]``; 0 for one without tokens."""
    means = [gains[:, list(row)].mean(axis=1) if row else np.zeros(len(gains)) for row in rows]
    return np.array(means, dtype=np.float32).reshape(len(rows), len(gains)).T
