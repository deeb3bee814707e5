"""Answers that say the same, put together: each side of a disagreement is one cluster.

Two answers agree where their quantities do, or where their words are equal but for case, accents, punctuation and
articles, contained in one another ("Obama", "Barack Obama"), initials of one another ("AFL", "Australian Football
League"; "J. Coltrane", "John Coltrane"), or mostly shared. They do not where only one says "not", or their ordinals differ
("Chilperic I", "Chilperic II").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from generators.conflicts.quantities import Comparison, Quantity, compare, quantities

OVERLAP = 0.6
"""Share of the words of both that are common, from which two answers say the same."""
LIKENESS = 0.95
"""Cosine from which two answers say the same, where an encoder is at hand.

High, because opposites are close in most encoders: all-minilm-l6-v2 gives 0.87 to "Monday" and "Tuesday", 0.93 to "left side"
and "right side", and 0.86 to "physician" and "doctor". A lower one would hide contradictions.
"""
MOST_BESIDE = 1
"""Words beside a quantity that leave it a quantity: "1870 in Bristol" is a year, "1982 Lebanon War" is a name."""

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Gives unit vectors, ``[texts, dimension]``."""

_WORD = re.compile(r"\d+(?:\.\d+)+|[^\W_]+")
_VERSION = re.compile(r"\b(?:versions?|releases?)\b", re.IGNORECASE)  # of which 3.1 is not 3.10
_ORDINAL = re.compile(r"^(?=[ivxl])(?:x{0,3}|xl)(?:ix|iv|v?i{0,3})$")
_EMPTY_WORDS = (
    "a an the of in on at to for by from with and or as is was were are be been it its his her their he she they s "
    "about around approximately circa roughly according"
)
_EMPTY = frozenset(_EMPTY_WORDS.split())
_NEGATIONS = frozenset({"not", "no", "never", "none", "without", "neither", "nor", "cannot", "false"})


def clusters(answers: Sequence[str], question: str = "", encode: Encode | None = None) -> list[list[int]]:
    """Group answers so that all in a group agree with one another.

    Longer answers choose first, so that a vague one ("2001") joins a side rather than joining two that differ (5 and 7
    March 2001).

    Parameters
    ----------
    question
        Its words say nothing in an answer: to "which party?", "Liberal Party" and "Labour Party" share nothing.
    encode
        Where given, answers whose words differ are compared by their vectors.

    Returns
    -------
    list
        Positions in ``answers``; the largest group first, ties by the first position.
    """
    like = _likeness(answers, encode)
    groups: list[list[int]] = []
    for index in sorted(range(len(answers)), key=lambda i: (-len(_words(answers[i])), i)):
        fitting = [group for group in groups if all(_same(answers, i, index, question, like) for i in group)]
        if fitting:
            max(fitting, key=len).append(index)
        else:
            groups.append([index])
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group[0]))


def agree(one: str, other: str, question: str = "") -> bool:
    """Whether two answers to one question say the same, by their quantities and their words.

    >>> agree("3,559 people", "3559"), agree("Obama", "Barack Obama"), agree("1928", "1892"), agree("AFL", "NBA")
    (True, True, False, False)
    """
    verdict = _by_quantity(one, other, question)
    return _by_words(one, other, question) if verdict is None else verdict


def _same(answers: Sequence[str], i: int, j: int, question: str, like: NDArray[np.float32] | None) -> bool:
    verdict = _by_quantity(answers[i], answers[j], question)
    if verdict is not None:
        return verdict
    close = like is not None and float(like[i, j]) >= LIKENESS and not _opposed(_words(answers[i]), _words(answers[j]))
    return close or _by_words(answers[i], answers[j], question)


def _by_quantity(one: str, other: str, question: str) -> bool | None:
    """Whether their quantities agree; ``None`` where they do not settle it."""
    if any(_VERSION.search(text) for text in (one, other, question)):
        return None
    first, second = quantities(one), quantities(other)
    found = {compare(a, b) for a in first for b in second}
    if Comparison.SAME in found:
        return True if _is_quantity(one, first) and _is_quantity(other, second) else None
    return False if Comparison.DIFFERENT in found else None


def _is_quantity(text: str, found: Sequence[Quantity]) -> bool:
    rest = list(text)
    for each in found:
        rest[each.start : each.end] = " " * (each.end - each.start)
    return len([word for word in _words("".join(rest)) if word not in _EMPTY]) <= MOST_BESIDE


def _by_words(one: str, other: str, question: str) -> bool:
    first, second = _words(one), _words(other)
    if _opposed(first, second):
        return False
    if first == second or _initials(one, second) or _initials(other, first) or _abbreviated(first, second):
        return True
    asked = _EMPTY | frozenset(map(_stem, _words(question)))
    a, b = (frozenset(map(_stem, words)) - asked for words in (first, second))
    if not a or not b:
        return False
    return a <= b or b <= a or len(a & b) / len(a | b) >= OVERLAP


def _opposed(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether only one of them denies, or both have ordinals that differ."""
    if _NEGATIONS.isdisjoint(one) != _NEGATIONS.isdisjoint(other):
        return True
    first, second = (frozenset(filter(_ORDINAL.match, words[1:])) for words in (one, other))
    return bool(first and second and first != second)


def _initials(short: str, words: Sequence[str]) -> bool:
    """Whether ``short`` is written in capitals that are the initials of ``words``, with or without the small ones."""
    letters = re.sub(r"[\s.]", "", short)
    if not (2 <= len(letters) <= 8 and letters.isalpha() and letters.isupper()):
        return False
    every, large = ("".join(word[0] for word in kept) for kept in (words, [w for w in words if w not in _EMPTY]))
    return letters.lower() in {every, large}


def _abbreviated(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether they are as many words, the last one the same, each of the others the same or its initial."""
    if len(one) != len(other) or len(one) < 2 or one[-1] != other[-1]:
        return False
    return all(a == b or (min(len(a), len(b)) == 1 and a[0] == b[0]) for a, b in zip(one, other, strict=True))


def _words(text: str) -> list[str]:
    """Words in small letters, without accents, articles and punctuation; ``isn't`` becomes ``is not``."""
    plain = unicodedata.normalize("NFKD", re.sub(r"(?i)n['’]t\b", " not", text)).casefold()
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return [word for word in _WORD.findall(re.sub(r"(?<=\d),(?=\d{3})", "", bare)) if word not in ("a", "an", "the")]


def _stem(word: str) -> str:
    """Without the ending of a plural; short words are left as they are."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _likeness(answers: Sequence[str], encode: Encode | None) -> NDArray[np.float32] | None:
    if encode is None or len(answers) < 2:
        return None
    vectors = encode(list(answers))
    found: NDArray[np.float32] = vectors @ vectors.T
    return found
