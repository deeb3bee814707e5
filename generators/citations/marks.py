"""Citation marks that a model wrote itself, or copied from a document: they were not checked, so they are no marks.

``Answer.marked`` sets ``[n]`` behind what was checked, and nothing else in an answer may look like that. A number in brackets that
names a source which the sentence does not cite is put in parentheses; as long as before, so that offsets hold.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from generators.answer import Claim, Conflict

_MARK = re.compile(r"""(?<![\w)}\]'"`])(?:\[[0-9]{1,3}\])+""")
"""``names[1]``, ``f(x)[1]`` and ``"text"[1]`` are code."""
_ONE = re.compile(r"\[([0-9]+)\]")


def without_marks(text: str, claims: Sequence[Claim], numbers: Collection[int]) -> tuple[str, tuple[Claim, ...]]:
    """Text and claims in which no unchecked number stands in brackets.

    Parameters
    ----------
    numbers
        Of the evidence.

    >>> claim = Claim("It is red [2].", 0, 14, "unsupported")
    >>> without_marks("It is red [2].", [claim], {1, 2})[0]
    'It is red (2).'
    """
    pieces, kept, position = [], [], 0
    for claim in claims:
        cited = {citation.number for citation in claim.citations}
        said = unmarked(text[claim.start : claim.end], set(numbers) - cited)
        pieces += [unmarked(text[position : claim.start], numbers), said]
        kept.append(replace(claim, text=said))
        position = claim.end
    return "".join([*pieces, unmarked(text[position:], numbers)]), tuple(kept)


def sides_without_marks(conflict: Conflict | None, numbers: Collection[int]) -> Conflict | None:
    """The conflict with sides that have no such numbers, either; what each cites stands beside it."""
    if conflict is None:
        return None
    return replace(conflict, sides=tuple(replace(s, text=unmarked(s.text, numbers)) for s in conflict.sides))


def unmarked(text: str, numbers: Collection[int]) -> str:
    """The text with those numbers in parentheses where they stood in brackets.

    >>> unmarked("Red. [1][3] names[1]", {1})
    'Red. (1)[3] names[1]'
    """

    def one(found: re.Match[str]) -> str:
        return f"({found[1]})" if int(found[1]) in numbers else found[0]

    return _MARK.sub(lambda run: _ONE.sub(one, run[0]), text)
