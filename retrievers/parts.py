"""Two questions in one: "How did A …, and what is B?" is routed and searched part by part.

A question's vector lies between its parts and near the passages of neither, and the experts of one part hide those of the
other. Parts are told by their interrogatives alone; whatever else is joined by "and" stays together, and so does a question
whose later part refers to the earlier ("and what is its capital?").
"""

from __future__ import annotations

import re

SHORTEST = 3

_INTERROGATIVE = r"(?:(?:in|at|on|for|by|to|of|from|with)\s+)?(?:what|which|who|whom|whose|when|where|why|how)\b"
_JOINT = re.compile(rf"(?:[?;.]\s+(?:and\s+|also,?\s+)?|,?\s+(?:and|also|but)\s+)(?={_INTERROGATIVE})", re.IGNORECASE)
_DEPENDENT = re.compile(
    r"\b(?:it|its|they|them|their|he|him|his|she|her|hers|this|that|these|those|there|then|one|former|latter)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(_INTERROGATIVE, re.IGNORECASE)


def parts(question: str) -> list[str]:
    """The questions that a question consists of; itself alone, where it is one.

    >>> parts("Who spoke about Panama in 1990, and what is the currency of Panama?")
    ['Who spoke about Panama in 1990', 'what is the currency of Panama?']
    >>> parts("What are the capital and the currency of Peru?")
    ['What are the capital and the currency of Peru?']
    """
    found = [piece.strip() for piece in _JOINT.split(question)]
    short = any(len(piece.split()) < SHORTEST for piece in found)
    dependent = any(_DEPENDENT.search(piece) for piece in found[1:])
    return [question] if len(found) < 2 or short or dependent or not _ASKS.search(found[0]) else found
