"""Citation marks that a model wrote itself, or copied from a document: they were not checked, so they are no marks.

``Answer.marked`` sets ``[n]`` behind what was checked, and nothing else in an answer may look like that. A number in brackets that
names a source which the sentence does not cite is put in parentheses; as long as before, so that offsets hold.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from generators.answer import Claim, Conflict

_ONE = re.compile(r"\[([0-9]{1,3}(?:\s?[,;]\s?[0-9]{1,3})*)\]")
_MARKS = re.compile(rf"(?:{_ONE.pattern})+")
_SPAN = re.compile(r"`[^`\n]+`")
_NEAR = 80
"""Characters before a mark that tell whether it is code."""
_NO_NAME = re.compile(r"(?<![^\W_])(?:\d\w*|\w*[^\W\x00-\x7f]\w*)$")
"""1990 or Perú: no name in code begins with a digit, and few have accents."""
_INDEXED = re.compile(
    r"""[\]}`]$|\w\([^()]*\)$"""  # rows[0] and f(x)
    r"""|(?<![\w.])(?:[a-z]|\w*_\w*|[a-z]\w*(?:\.[A-Za-z]\w*)+)$"""  # x, first_names and sys.argv
    r"""|(?:\s[=+*<>]=?\s+|=|\w\()[A-Za-z]\w*$""",  # a = names, f(names
    re.ASCII,
)
_JOINED = re.compile(r"""[\w)'"]$""")
_SENTENCE_ENDS = re.compile(r"""\s*$|[ \t]*\n|[.,;:!?]+(?:[\s"'”’)\]]|$)""")


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
        said = unmarked(text[claim.start : claim.end], set(numbers) - cited, cited)
        pieces += [unmarked(text[position : claim.start], numbers), said]
        kept.append(replace(claim, text=said))
        position = claim.end
    return "".join([*pieces, unmarked(text[position:], numbers)]), tuple(kept)


def sides_without_marks(conflict: Conflict | None, numbers: Collection[int]) -> Conflict | None:
    """The conflict with sides that have no such numbers, either; what each cites stands beside it."""
    if conflict is None:
        return None
    return replace(conflict, sides=tuple(replace(s, text=unmarked(s.text, numbers)) for s in conflict.sides))


def unmarked(text: str, numbers: Collection[int], checked: Collection[int] = ()) -> str:
    """The text with those numbers in parentheses where they stood in brackets; what indexes something in code stays.

    Parameters
    ----------
    checked
        Numbers that may stand in brackets; in a list with others they do not keep them there.

    >>> unmarked("Red in 1990[1]. Blue [1, 2]. [1][3] sys.argv[1]", {1, 2})
    'Red in 1990(1). Blue (1, 2). (1)[3] sys.argv[1]'
    """
    pieces = list(text)
    for start, end in _unchecked(text, numbers, checked):
        pieces[start], pieces[end - 1] = "(", ")"
    return "".join(pieces)


def bare(text: str, numbers: Collection[int]) -> str:
    """The text without those marks: what a sentence says, for its check. A mark is no number of it.

    >>> bare("Red in 1990 [1]. Blue [1, 2] or [2][3]. sys.argv[1]", {1, 2})
    'Red in 1990. Blue or[3]. sys.argv[1]'
    """
    kept = text
    for start, end in reversed(_unchecked(text, numbers, ())):
        kept = kept[:start].rstrip(" ") + kept[end:]
    return kept


def _unchecked(text: str, numbers: Collection[int], checked: Collection[int]) -> list[tuple[int, int]]:
    """Where marks of those numbers stand, brackets included."""
    if "[" not in text:
        return []
    wanted, known = set(numbers), {*numbers, *checked}
    code = [found.span() for found in _SPAN.finditer(text)]
    runs = [run for run in _MARKS.finditer(text) if not any(start < run.start() < end for start, end in code)]
    marks = (mark for run in runs if not _is_index(text, run) for mark in _ONE.finditer(text, *run.span()))
    named = ((mark.span(), {int(number) for number in re.findall(r"\d+", mark[1])}) for mark in marks)
    return [span for span, these in named if these <= known and these & wanted]


def _is_index(text: str, run: re.Match[str]) -> bool:
    """Whether brackets pick from what stands before them, as in code; behind a plain word they do so within a sentence only."""
    before = text[max(0, run.start() - _NEAR) : run.start()]
    if _NO_NAME.search(before):
        return False
    if _INDEXED.search(before) or (_JOINED.search(before) and "[0]" in run[0]):  # no source has the number 0
        return True
    return _JOINED.search(before) is not None and _SENTENCE_ENDS.match(text, run.end()) is None
