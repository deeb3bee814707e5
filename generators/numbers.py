"""Numbers in text, in digits or in words, compared as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generators.conflicts.quantities import NUMERALS, spoken

_DIGITS = re.compile(
    r"(?<![\w.])(?:(?P<whole>\d{1,3}(?:[\u00a0\u202f\u2009]\d{3})+(?!\w)|\d+(?:,\d{3})*)(?P<decimals>\.\d+)?|"
    r"(?P<point>\.\d+))"
)
_WORDS = re.compile(
    rf"\b(?=[efnostz])(?P<words>{NUMERALS})(?:[ -](?P<scale>hundred|thousand)\b(?: and (?P<rest>{NUMERALS})\b)?|\b)",
    re.IGNORECASE,
)
_SCALES = {"hundred": 100, "thousand": 1000}
_COUNTED = re.compile(
    r"[ -](?:million|billion|trillion|per ?cent|year|month|week|day|hour|minute|dollar|euro|pound)\b", re.IGNORECASE
)


def numbers(text: str) -> frozenset[str]:
    """The numbers in digits, without thousands separators, leading zeros, and zeros that end decimals.

    >>> sorted(numbers("1,200.50 people in 1990, at 09:15"))
    ['1200.5', '15', '1990', '9']
    """
    return frozenset(number for number, _ in _in_digits(text))


def said_numbers(text: str) -> frozenset[str]:
    """The numbers in digits and in words; "one" is a pronoun where neither a scale nor a usual unit follows it.

    >>> sorted(said_numbers("one of the twelve, at 9:30")), said_numbers("two hundred and fifty")
    (['12', '30', '9'], frozenset({'250'}))
    """
    return numbers(text) | {number for number, match in _in_words(text) if not _pronoun(match, text)}


def held_numbers(text: str) -> frozenset[str]:
    """The numbers that may be said of ``text``: those in digits and in words, with every "one".

    >>> held_numbers("It has one member."), said_numbers("It has one member.")
    (frozenset({'1'}), frozenset())
    """
    return numbers(text) | {number for number, _ in _in_words(text)}


def spelled(text: str, known: frozenset[str]) -> list[str]:
    """How ``text`` writes those of its numbers that are ``known``.

    >>> spelled("at 09:15 or ten", frozenset({"9", "10"}))
    ['09', 'ten']
    """
    return [match[0] for number, match in (*_in_digits(text), *_in_words(text)) if number in known]


def _in_digits(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for match in _DIGITS.finditer(text):
        whole = re.sub(r"\D", "", match["whole"] or "").lstrip("0") or "0"
        yield (whole + (match["decimals"] or match["point"] or "").rstrip("0")).rstrip("."), match


def _in_words(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for match in _WORDS.finditer(text):
        scale = _SCALES.get((match["scale"] or "").lower(), 1)
        yield f"{spoken(match['words']) * scale + spoken(match['rest'] or 'zero'):.0f}", match


def _pronoun(match: re.Match[str], text: str) -> bool:
    return match[0].lower() == "one" and _COUNTED.match(text, match.end()) is None
