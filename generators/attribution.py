"""Attribution: a sentence cites the passages that make the model more likely to say it.

The contrast of a sentence with a passage is ``(log p(sentence | passage) − log p(sentence | nothing)) / tokens``, the "hold"
half of SelfCite's reward (arXiv 2502.09604). All passages and the empty prompt run as one batch over the finished
answer. Each pair is then checked for support; only what passes is cited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from generators import prompts
from generators.answer import Citation, Claim, Status
from generators.sentences import Span, sentences
from generators.support import Support, support
from retrievers.evidence import Evidence

MOST_CITATIONS = 2
RELATIVE = 0.5
KNOWN = 0.8
"""Support from which a passage may be cited although it raises nothing: the model knew the sentence already."""


@dataclass(slots=True)
class Drafted:
    """What was decoded: token ids, the text that each completed, and the branches' divergence at each."""

    tokens: list[int] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    divergences: list[float] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The draft so far."""
        return "".join(self.pieces)

    def take(self, token: int, text: str, divergence: float) -> None:
        """Append one token."""
        self.tokens.append(token)
        self.pieces.append(text)
        self.divergences.append(divergence)


class Scores(Protocol):
    """What attribution asks of a language model."""

    def chat_tokens(self, messages: prompts.Messages) -> list[int]:
        """Tokens of a chat prompt, up to where the reply begins."""

    def log_probs(self, prompts: Sequence[Sequence[int]], continuation: Sequence[int]) -> NDArray[np.float32]:
        """Log-probability of each continuation token behind each prompt, ``[prompts, tokens]``."""


def attribute(
    model: Scores,
    question: str,
    evidence: Sequence[Evidence],
    draft: Drafted,
    least_support: float,
) -> tuple[Claim, ...]:
    """One claim per sentence: cited where a passage both raises and supports it, else marked as unsupported.

    Reading a passage costs a second where checking its words costs a millisecond, so passages that support no sentence
    are not read.
    """
    spans = sentences(draft.text)
    checks = [[support(draft.text[a:b], question, item.passage) for item in evidence] for a, b in spans]
    worth = [i for i in range(len(evidence)) if any(row[i].degree >= least_support for row in checks)]
    rows = token_rows(draft.pieces, spans)
    contrast = np.zeros((len(spans), len(evidence)), dtype=np.float32)
    if worth:
        contrast[:, worth] = contrasts(model, question, [evidence[i] for i in worth], draft.tokens, rows)
    claims = []
    for i, (start, end) in enumerate(spans):
        citations = _cite(evidence, contrast[i], checks[i], least_support)
        status: Status = "supported" if citations else "unsupported"
        divergence = largest([draft.divergences[j] for j in rows[i]])
        claims.append(Claim(draft.text[start:end], start, end, status, citations, divergence))
    return tuple(claims)


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
    means = [gains[:, list(row)].mean(axis=1) if row else np.zeros(len(evidence)) for row in rows]
    return np.array(means, dtype=np.float32).reshape(len(rows), len(evidence))


def largest(values: Sequence[float]) -> float:
    """The largest of the values that are not NaN; NaN where there is none."""
    return max((value for value in values if not np.isnan(value)), default=float("nan"))


def token_rows(pieces: Sequence[str], spans: Sequence[Span]) -> list[list[int]]:
    """For each sentence span, the positions of the tokens whose text pieces end inside it."""
    ends = np.cumsum([len(piece) for piece in pieces]) if pieces else np.zeros(0, dtype=int)
    return [[i for i, at in enumerate(ends) if start < at <= end and pieces[i]] for start, end in spans]


def _cite(
    evidence: Sequence[Evidence], contrast: NDArray[np.float32], checks: Sequence[Support], least: float
) -> tuple[Citation, ...]:
    order = sorted(range(len(evidence)), key=lambda i: (-float(contrast[i]), evidence[i].number))
    passing = [i for i in order if checks[i].degree >= (least if contrast[i] > 0 else max(least, KNOWN))]
    best = float(contrast[passing[0]]) if passing else 0.0
    kept = [i for i in passing if contrast[i] >= best - RELATIVE * abs(best)][:MOST_CITATIONS]
    return tuple(
        Citation(evidence[i].number, checks[i].start, checks[i].end, float(contrast[i]), checks[i].degree)
        for i in sorted(kept)
    )
