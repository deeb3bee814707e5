"""Attribution: a sentence cites the passages that make the model more likely to say it.

The contrast of a sentence with a passage is ``(log p(sentence | passage) − log p(sentence | nothing)) / tokens``, the "hold"
half of SelfCite's reward (arXiv 2502.09604). All passages and the empty prompt run as one batch over the finished
answer. Each pair is then checked for support; only what passes is cited.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from generators import prompts
from generators.answer import Citation, Claim, Status
from generators.sentences import Span
from generators.support import Support, support
from retrievers.evidence import Evidence

MOST_CITATIONS = 2
RELATIVE = 0.5


class Scores(Protocol):
    """What attribution asks of a language model."""

    def chat_tokens(self, messages: prompts.Messages) -> list[int]:
        """Tokens of a chat prompt, up to where the reply begins."""

    def log_probs(self, prompts: Sequence[Sequence[int]], continuation: Sequence[int]) -> NDArray[np.float32]:
        """Log-probability of each continuation token behind each prompt, ``[prompts, tokens]``."""


def contrasts(
    model: Scores, question: str, evidence: Sequence[Evidence], tokens: Sequence[int], rows: Sequence[Sequence[int]]
) -> NDArray[np.float32]:
    """Nats per token by which each passage raises each sentence, ``[sentences, evidence]``.

    Parameters
    ----------
    tokens
        The answer's tokens.
    rows
        For each sentence, the positions of its tokens in ``tokens``.
    """
    alone = [model.chat_tokens(prompts.with_sources(question, [item])) for item in evidence]
    nothing = model.chat_tokens(prompts.without_sources(question))
    log_probs = model.log_probs([*alone, nothing], tokens)
    gains = log_probs[:-1] - log_probs[-1]
    means = [gains[:, list(row)].mean(axis=1) if len(row) else np.zeros(len(evidence)) for row in rows]
    return np.array(means, dtype=np.float32).reshape(len(rows), len(evidence))


def claims(
    text: str,
    spans: Sequence[Span],
    question: str,
    evidence: Sequence[Evidence],
    contrast: NDArray[np.float32],
    divergence: Sequence[float],
    least_support: float,
) -> tuple[Claim, ...]:
    """One claim per sentence: cited where a passage both raises and supports it, else marked as unsupported."""
    result = []
    for i, (start, end) in enumerate(spans):
        sentence = text[start:end]
        checks = [support(sentence, question, item.passage) for item in evidence]
        citations = _cite(evidence, contrast[i], checks, least_support)
        status: Status = "supported" if citations else "unsupported"
        result.append(Claim(sentence, start, end, status, citations, divergence[i]))
    return tuple(result)


def token_rows(pieces: Sequence[str], spans: Sequence[Span]) -> list[list[int]]:
    """For each sentence span, the positions of the tokens whose text pieces end inside it."""
    ends = np.cumsum([len(piece) for piece in pieces]) if pieces else np.zeros(0, dtype=int)
    return [[i for i, at in enumerate(ends) if start < at <= end and pieces[i]] for start, end in spans]


def _cite(
    evidence: Sequence[Evidence], contrast: NDArray[np.float32], checks: Sequence[Support], least: float
) -> tuple[Citation, ...]:
    order = sorted(range(len(evidence)), key=lambda i: (-float(contrast[i]), evidence[i].number))
    passing = [i for i in order if contrast[i] > 0 and checks[i].degree >= least]
    kept = [i for i in passing if contrast[i] >= RELATIVE * contrast[passing[0]]][:MOST_CITATIONS]
    return tuple(
        Citation(evidence[i].number, checks[i].start, checks[i].end, float(contrast[i]), checks[i].degree)
        for i in sorted(kept)
    )
