"""The sentences of an answer or a passage, with offsets. A line end always ends one: facts often stand one a line."""

from __future__ import annotations

from indexes.sentences import sentence_ends

Span = tuple[int, int]


def sentences(text: str) -> list[Span]:
    """Offsets ``(start, end)`` of the sentences, outer white space excluded; those without a letter or digit are left out.

    >>> [("Mr. Ford spoke in 1975. He won."[a:b]) for a, b in sentences("Mr. Ford spoke in 1975. He won.")]
    ['Mr. Ford spoke in 1975.', 'He won.']
    """
    spans: list[Span] = []
    start = 0
    for end in sentence_ends(text):
        for line in text[start:end].splitlines(keepends=True):
            stripped = line.strip()
            if any(c.isalnum() for c in stripped):
                at = start + len(line) - len(line.lstrip())
                spans.append((at, at + len(stripped)))
            start += len(line)
    return spans
