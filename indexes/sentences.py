"""Where sentences end, in any script, in time linear in the text.

LlamaIndex's own sentence tokenizer is an NLTK Punkt without trained parameters: it knows no abbreviation, no full stop but
the Latin one, and fails with ``TimeoutError`` on texts of some megabytes. This one takes its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Chinese, Japanese, Hindi, Arabic, Urdu, Armenian, Ethiopic, Burmese, Khmer and Tibetan full stops and question marks.
_STOPS = "。！？｡．।॥؟۔։።၊။។༎།"
_CLOSERS = "\"')\\]’”»」』）》】〉"
# French puts a space before its closing mark, which is followed by another; a German opening one is not.
_END = re.compile(
    rf"(?<![.!?…])[.!?…]++(?:[ \u00a0\u202f]»(?=\s))?[{_CLOSERS}]*+\s++"
    rf"|[{_STOPS}]++[{_CLOSERS}]*+(?!(?<=[」』])と)\s*+"  # 「…。」と says who said it
    r"|(?<=[\u0e01-\u0eff])[ \t]+(?=[\u0e01-\u0eff])"  # Thai and Lao have no full stop: a space ends a clause
    r"|\n[^\S\n]*+\n\s*+"  # a blank line
    r"|\n(?=[^\S\n]*+(?:[-*+•|#>]|\d{1,3}[.)])[^\S\n])"  # an item of a list, a row of a table
)
# Those that never end a sentence, and those that do not where a number follows.
_ABBREVIATIONS = (
    "mr mrs ms dr prof st sr jr gen sen rep gov hon rev lt col capt sgt cf al vs viz approx e.g i.e u.s u.k u.n"
)
_NUMBERED = (
    "no nos nr fig figs eq eqs sec ch vol art abs para p pp ed ca jan feb mar apr jun jul aug sep sept oct nov dec"
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_ALWAYS = frozenset(_ABBREVIATIONS.split())
_BEFORE_NUMBERS = frozenset(_NUMBERED.split())
_LONGEST = max(map(len, _ALWAYS | _BEFORE_NUMBERS)) + 2


def sentence_ends(text: str) -> Iterator[int]:
    """Offsets just after each sentence and the white space that follows it; the last is ``len(text)``.

    >>> list(sentence_ends("Dr. Ford spoke in 1975. He won."))
    [24, 31]
    """
    for found in _END.finditer(text):
        if found.end() < len(text) and not _goes_on(text, found):
            yield found.end()
    if text:
        yield len(text)


def _goes_on(text: str, found: re.Match[str]) -> bool:
    """Whether a Latin stop is none: small letters follow, or an abbreviation, an initial or an item's number precedes."""
    stop, after = found[0].rstrip(), text[found.end()]
    if not stop or stop[0] not in ".!?…" or "\n\n" in found[0]:
        return False
    if after.islower() or stop != ".":
        return after.islower()
    before = text[max(0, found.start() - _LONGEST) : found.start()]
    word = (before.split() or [""])[-1].lstrip("(\"'“‘[")
    if word.isdigit():
        return len(word) < 4 and before[: -len(word)].rstrip(" \t")[-1:] in {"", "\n"}
    initial = word != "I" and _INITIALS.fullmatch(word) is not None
    return initial or word.lower() in _ALWAYS or (after.isdigit() and word.lower() in _BEFORE_NUMBERS)
