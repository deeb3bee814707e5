"""Do the sources contain the answer? The language model's own yes or no, as log-odds, from one forward pass.

The prompt is that of the answer with one line more, so that where both are read together the sources are read once.
Source of the measure: "P(True)" of Kadavath et al., arXiv 2207.05221, section 3, asked of the sources instead of an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from generators import prompts
from retrievers.evidence import Evidence

if TYPE_CHECKING:
    from torch import Tensor

YES, NO = ("Yes", " Yes", "yes"), ("No", " No", "no")


class Reads(Protocol):
    """What this asks of a language model (``generators.models.language_model.LocalModel`` is one)."""

    def chat_tokens(self, messages: prompts.Messages) -> list[int]:
        """Tokens of a chat prompt, up to where the reply begins."""

    def encode(self, text: str) -> list[int]:
        """Tokens of plain text."""

    def prefill(self, rows: Sequence[Sequence[int]]) -> Any:  # noqa: ANN401 (each model keeps its own kind of state)
        """Read the prompts; the state's ``logits`` have shape [rows, vocabulary]."""


def sufficiency(model: Reads, question: str, evidence: Sequence[Evidence]) -> float:
    """Log-odds of "Yes" over "No" when the model is asked whether the evidence contains the answer; NaN without evidence."""
    if not evidence:
        return float("nan")
    return yes_over_no(model, model.prefill([prompt(model, question, evidence)]).logits[0])


def prompt(model: Reads, question: str, evidence: Sequence[Evidence]) -> list[int]:
    """Tokens of the question to the model."""
    return model.chat_tokens(prompts.sufficiency(question, evidence))


def yes_over_no(model: Reads, logits: Tensor) -> float:
    """Log-odds from the logits of the reply's first token ``[vocabulary]``."""
    import torch

    yes, no = (sorted({model.encode(word)[0] for word in words}) for words in (YES, NO))
    return float(torch.logsumexp(logits[yes], dim=0) - torch.logsumexp(logits[no], dim=0))
