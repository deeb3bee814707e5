"""What becomes of sentences that failed their check: marked, which needs nothing, or removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from generators.answer import Claim

Unsupported = Literal["mark", "remove"]


def without_unsupported(text: str, claims: Sequence[Claim]) -> tuple[str, tuple[Claim, ...]]:
    """The text without its unsupported sentences, and the other claims at their new offsets.

    A sentence takes the text between it and the next with it (blanks, a list's dash); what stands before the first
    sentence stays unless that one goes. Where nothing is left, the text is empty.

    Parameters
    ----------
    claims
        The sentences of ``text``, in order and without overlap.

    >>> a, b = Claim("It is red.", 0, 10, "unsupported"), Claim("It is round.", 11, 23, "supported")
    >>> text, kept = without_unsupported("It is red. It is round.", [a, b])
    >>> text, kept[0].start, kept[0].end
    ('It is round.', 0, 12)
    """
    pieces: list[str] = []
    kept: list[Claim] = []
    length = 0
    for position, claim in enumerate(claims):
        if claim.status == "unsupported":
            continue
        begins = claim.start if position else 0
        ends = claims[position + 1].start if position + 1 < len(claims) else len(text)
        shift = length - begins
        pieces.append(text[begins:ends])
        length += ends - begins
        kept.append(replace(claim, start=claim.start + shift, end=claim.end + shift))
    joined = "".join(pieces)
    last = kept[-1].end if kept else 0
    return (joined[:last] + joined[last:].rstrip() if kept else ""), tuple(kept)
