"""Dates in text, each as the days that it may mean: a year is all of its days, so a day within it agrees with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

Days = tuple[date, date]
"""First and last day."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_YEAR = r"([12]\d{3}|[1-9]\d{2})"
_YEAR_AFTER_MONTH = r"([12]\d{3}|[1-9]\d{2}(?=\s*(?:AD|BCE?|CE)\b))"  # "On March 1, 250 people", "In May 300 people"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_THROUGH = ("-", "–", "—", "to")
_BETWEEN = re.compile(r"\bbetween\s+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Date:
    """A date as it stands in a text.

    Parameters
    ----------
    start, end
        Its offsets.
    readings
        What it may mean, each as first and last day: "1699 or 1701" has two readings, as have "3/4/2001" and "1950 and 1990";
        a range ("1926-27", "between 1950 and 1990") its beginning, its end and the whole.
    """

    start: int
    end: int
    readings: tuple[Days, ...]


def dates(text: str) -> list[Date]:
    """Dates with a month, numeric dates, decades and ranges of years, in order; a lone year is not among them.

    Whether four digits are a year depends on what they count, which ``generators.conflicts.quantities`` knows.

    >>> [text[d.start:d.end] for text in ["born on 5 March 2001 or in the 1880s"] for d in dates(text)]
    ['5 March 2001', '1880s']
    """
    found: list[Date] = []
    for pattern, read in _FORMS:
        for match in pattern.finditer(text):
            readings = tuple(read(match))
            free = all(match.end() <= other.start or match.start() >= other.end for other in found)
            if free and readings:
                found.append(Date(match.start(), match.end(), readings))
    return sorted(found, key=lambda each: each.start)


def year(number: int) -> Days:
    """All days of a year."""
    return date(number, 1, 1), date(number, 12, 31)


def agree(one: tuple[Days, ...], other: tuple[Days, ...]) -> bool:
    """Whether some reading of the one lies within some reading of the other."""
    return any(_within(a, b) or _within(b, a) for a in one for b in other)


def _within(inner: Days, outer: Days) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _day(y: str, m: int, d: str) -> Iterator[Days]:
    try:
        day = date(int(y), m, int(d))
    except ValueError:  # 31 February, month 13: not a date
        return
    yield day, day


def _month(y: str, name: str) -> Iterator[Days]:
    number = _number(name)
    first = date(int(y), number, 1)
    after = date(int(y) + number // 12, number % 12 + 1, 1)
    yield first, date.fromordinal(after.toordinal() - 1)


def _numeric(match: re.Match[str]) -> Iterator[Days]:
    one, two, y = match.groups()
    yield from _day(y, int(two), one)
    if one != two:
        yield from _day(y, int(one), two)


def _decade(match: re.Match[str]) -> Iterator[Days]:
    first = int(match[1])
    yield year(first)[0], year(first + 9)[1]


def _range(match: re.Match[str]) -> Iterator[Days]:
    first, joint, last = match[1], match[2].strip(), match[3]
    last = first[: 4 - len(last)] + last
    if int(first) >= int(last):
        return
    yield year(int(first))
    yield year(int(last))
    whole = joint in _THROUGH or (
        joint == "and" and _BETWEEN.search(match.string, max(0, match.start() - 10), match.start())
    )
    if whole:
        yield year(int(first))[0], year(int(last))[1]


def _number(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Iterator[Days]]], ...] = (
    (
        re.compile(rf"\b{_DAY}(?:\s+of)?\s+({_MONTH}),?\s+{_YEAR}\b", re.IGNORECASE),
        lambda m: _day(m[3], _number(m[2]), m[1]),
    ),
    (
        re.compile(rf"\b({_MONTH})\s+{_DAY},?\s+{_YEAR_AFTER_MONTH}\b", re.IGNORECASE),
        lambda m: _day(m[3], _number(m[1]), m[2]),
    ),
    (re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b"), lambda m: _day(m[1], int(m[2]), m[3])),
    (re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.]([12]\d{3})\b"), _numeric),
    (re.compile(rf"\b({_MONTH}),?\s+{_YEAR_AFTER_MONTH}\b", re.IGNORECASE), lambda m: _month(m[2], m[1])),
    (re.compile(r"\b([1-9]\d{2}0)s\b"), _decade),
    (re.compile(r"\b([12]\d{3})(\s*[-–—/]\s*)([12]\d{3}|\d{2})\b(?![-–/]\d)"), _range),
    (re.compile(r"\b([12]\d{3})(\s+(?:to|or|and)\s+)([12]\d{3})\b(?![-–/]\d)"), _range),
)
