"""Words of scripts that put no spaces between them, as overlapping pairs and triples of characters.

BM25 knows words by the spaces around them, and takes a Chinese sentence for one word. Pairs of ideographs and kana (Nie et al.
2000, "On the use of words and n-grams for Chinese information retrieval") and triples of Thai, Lao, Tibetan, Burmese and
Khmer characters find what a dictionary would, without one.
"""

from __future__ import annotations

import re

_RUN = re.compile(
    "(?P<pairs>[\u2e80-\u2fff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)"
    "|(?P<triples>[\u0e01-\u0e4e\u0e81-\u0ece\u0f40-\u0fbc\u1000-\u109f\u1780-\u17d3]+)"
)
_FIRST = "\u0e00"  # no earlier character is of such a script


def spaced(text: str) -> str:
    """The text with spaces between the parts of words, where its script has none between words.

    >>> spaced("BM25 找到通知期限。")
    'BM25  找到 到通 通知 知期 期限 。'
    """
    return text if text.isascii() or max(text) < _FIRST else _RUN.sub(_parts, text)


def _parts(run: re.Match[str]) -> str:
    length, characters = (2, run["pairs"]) if run["pairs"] else (3, run["triples"])
    last = max(1, len(characters) - length + 1)
    return f" {' '.join(characters[at : at + length] for at in range(last))} "
