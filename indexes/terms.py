"""The words that carry a text's content: stemmed as the lexical search stems them, without stop words."""

from __future__ import annotations

import re
from functools import cache

from indexes.lexical import Bm25, Bm25Settings

_WORD = re.compile(r"[^\W_]+(?:[.'’_-]+[^\W_]+)*")


def terms(text: str) -> frozenset[int]:
    """Hashed stems of the content words of ``text``."""
    return frozenset(_bm25().question(text).indices)


def words(text: str) -> list[str]:
    """The distinct content words of ``text``, in order; names such as ``json.dumps`` and ``war-time`` stay whole."""
    return list(dict.fromkeys(word for word in _WORD.findall(text) if terms(word)))


@cache
def _bm25() -> Bm25:
    return Bm25(Bm25Settings(average_length=1))
