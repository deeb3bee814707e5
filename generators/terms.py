"""Comparing texts by their content words: stems without stop words, and numbers as numbers."""

from __future__ import annotations

import re
from functools import cache

from indexes.lexical import Bm25, Bm25Settings

_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")
_WORD = re.compile(r"[^\W_]+(?:[.'’_-][^\W_]+)*")


def terms(text: str) -> frozenset[int]:
    """Hashed stems of the content words of ``text``."""
    return frozenset(_bm25().question(text).indices)


def numbers(text: str) -> frozenset[str]:
    """The numbers in ``text``, without thousands separators: ``1,200.50`` is ``1200.5``."""
    found = (match[0].replace(",", "") for match in _NUMBER.finditer(text))
    return frozenset(n.rstrip("0").rstrip(".") if "." in n else n for n in found)


def words(text: str) -> list[str]:
    """The distinct words of ``text`` that are content words, in order."""
    return list(dict.fromkeys(word for word in _WORD.findall(text) if terms(word)))


@cache
def _bm25() -> Bm25:
    return Bm25(Bm25Settings(average_length=1))
