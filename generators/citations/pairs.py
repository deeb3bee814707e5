"""What words say about a sentence and each passage that it may rest on: numbers from 0 to 1, looked at side by side.

A sentence often needs two passages, one of which holds nothing of what it says: the answer to "Where was the author of X
born?" stands under the author's name, and that the author wrote X stands under X. So a passage is also compared
with the question, and with the passage that fits best (the anchor): whether one names the other's title, and how much
of question and sentence it holds that the anchor does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from generators.citations.support import supporting_span
from generators.numbers import numbers
from generators.sentences import sentences
from indexes.passage import Passage
from indexes.terms import terms

LEXICAL = (
    "claim",
    "novel",
    "question",
    "sentence",
    "title",
    "numbers",
    "anchor",
    "link",
    "gain",
    "claim lag",
    "both lag",
)
"""Names of the columns of ``lexical_features``."""
EMBEDDING = ("cosine", "cosine lag", "sentence cosine", "sentence cosine lag")
"""Names of the columns of ``embedding_features``."""

_ASIDE = re.compile(r"\s*\([^)]*\)\s*$")
Matrix = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Matrix]
"""Texts to unit vectors, ``[texts, dimension]``: an encoder's ``encode_passages``."""


def lexical_features(claim: str, question: str, passages: Sequence[Passage]) -> Matrix:
    """One row a passage, one column for each of ``LEXICAL``, float32.

    Terms are weighted by how few of these passages hold them, so that what all share tells none apart.

    ``claim``, ``novel``, ``question``
        Share of the claim's terms, of those that the question does not hold, and of the question's terms in the passage.
    ``sentence``
        Largest share of claim and question in one sentence of the passage.
    ``title``
        Share of the passage's title in claim and question, where all of it stands there.
    ``numbers``
        Share of the claim's numbers in the passage; 0 where it has none.
    ``anchor``, ``link``, ``gain``
        Whether it is the anchor; whether it names the anchor's title or the anchor its own; share of claim and question
        that it holds and the anchor does not.
    ``claim lag``, ``both lag``
        How far ``claim``, and claim and question together, lie below the best passage's.
    """
    said, asked = terms(claim), terms(question)
    held = [terms(passage.searchable) for passage in passages]
    weight = _Weights(held)
    both = said | asked
    rows = np.zeros((len(passages), len(LEXICAL)), dtype=np.float32)
    shares = np.array([weight.share(both, words) for words in held], dtype=np.float32)
    digits = numbers(claim)
    for i, passage in enumerate(passages):
        title = _title(passage)
        inside = max(
            (weight.share(both, terms(passage.text[a:b])) for a, b in sentences(passage.text)),
            default=0.0,
        )
        rows[i, :6] = (
            weight.share(said, held[i]),
            weight.share(said - asked, held[i]),
            weight.share(asked, held[i]),
            inside,
            weight.sum(title) / max(1.0, weight.sum(both)) if title and title <= both else 0.0,
            len(digits & numbers(passage.searchable)) / len(digits) if digits else 0.0,
        )
    best = _anchor(rows, shares)
    anchor_title = _title(passages[best])
    for i, passage in enumerate(passages):
        title = _title(passage)
        named = bool(title) and title <= held[best]
        names = bool(anchor_title) and anchor_title <= held[i]
        rows[i, 6] = float(i == best)
        rows[i, 7] = float(i != best and title != anchor_title and (named or names))
        rows[i, 8] = weight.share(both, held[i] - held[best])
    rows[:, 9] = rows[:, 0].max() - rows[:, 0]
    rows[:, 10] = shares.max() - shares
    return rows


def embedding_features(
    claims: Sequence[str], question: str, passages: Sequence[Passage], encode: Encode
) -> list[Matrix]:
    """For each claim one row a passage, one column for each of ``EMBEDDING``, float32; all texts are encoded in one call.

    ``cosine``
        Of the claim behind its question with the passage.
    ``sentence cosine``
        Of the claim behind its question with one sentence of the passage: the one that shares most words with them, since
        encoding all sentences would take several times as long.
    ``… lag``
        How far it lies below the best passage's.
    """
    asked = [f"{question} {claim}" for claim in claims]
    best = [[_best_sentence(text, question, passage) for passage in passages] for text in asked]
    wholes = [passage.searchable for passage in passages]
    texts = list(dict.fromkeys([*asked, *wholes, *(text for row in best for text in row)]))
    known = dict(zip(texts, encode(texts), strict=True))
    vectors = np.stack([known[text] for text in wholes])
    found = []
    for text, row in zip(asked, best, strict=True):
        cosine = vectors @ known[text]
        inside = np.stack([known[sentence] for sentence in row]) @ known[text]
        found.append(np.stack([cosine, cosine.max() - cosine, inside, inside.max() - inside], axis=1))
    return found


def _best_sentence(text: str, question: str, passage: Passage) -> str:
    start, end = supporting_span(text, question, passage)
    return passage.text[start:end] or passage.searchable


class _Weights:
    """Weights of terms: ``log(1 + n / passages that hold it)``; one that no passage holds weighs like one that one holds."""

    def __init__(self, held: Sequence[frozenset[int]]) -> None:
        self._n = len(held)
        self._counts: dict[int, int] = {}
        for words in held:
            for term in words:
                self._counts[term] = self._counts.get(term, 0) + 1

    def sum(self, words: frozenset[int]) -> float:
        return float(sum(np.log1p(self._n / self._counts.get(term, 1)) for term in words))

    def share(self, wanted: frozenset[int], held: frozenset[int]) -> float:
        return self.sum(wanted & held) / self.sum(wanted) if wanted else 0.0


def _anchor(rows: Matrix, shares: Matrix) -> int:
    """The passage that fits best by words: shares of claim and question together, and of what the claim adds."""
    return int(np.argmax(shares + rows[:, 1] + rows[:, 4]))


def _title(passage: Passage) -> frozenset[int]:
    return terms(_ASIDE.sub("", passage.title))
