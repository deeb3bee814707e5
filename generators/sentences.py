"""Cutting text into sentences, with offsets."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sr jr st vs etc e.g i.e cf al no vol fig approx est inc ltd co corp u.s u.k u.n a.m p.m "
    "jan feb mar apr jun jul aug sep sept oct nov dec gen gov sen rep".split()
)
_END = re.compile(r"(?:[.!?]+[\"'”’)\]]*(?=\s|$)|[。！？؟।]+[\"'”’)\]]*|\n+)")


def sentences(text: str) -> list[tuple[int, int]]:
    """Offsets ``(start, end)`` of the sentences, outer white space excluded.

    >>> [("Mr. Ford spoke in 1975. He won."[a:b]) for a, b in sentences("Mr. Ford spoke in 1975. He won.")]
    ['Mr. Ford spoke in 1975.', 'He won.']
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        if _continues(text, match):
            continue
        _append(spans, text, start, match.end())
        start = match.end()
    _append(spans, text, start, len(text))
    return spans


def _continues(text: str, match: re.Match[str]) -> bool:
    if not match[0].startswith("."):
        return False
    words = text[: match.start()].split()
    word = words[-1].lower().lstrip("(\"'“‘[") if words else ""
    following = text[match.end() :].lstrip()
    initial = len(word) == 1 and word.isalpha() and word != "i"
    return bool(following) and (word in _ABBREVIATIONS or initial or following[0].islower())


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    left, right = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
    if left < right and any(c.isalnum() for c in text[left:right]):
        spans.append((left, right))
