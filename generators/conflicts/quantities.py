"""Numbers, dates, percentages and money in text, brought to one unit and scale so that they can be compared.

Two numbers are the same quantity where they differ by no more than the coarser of them was rounded: half of its last
digit, which is the last decimal ("1.2 million": 50,000), a whole for measured units ("43 years": half a year), and the
last digit that is not 0 behind a word such as "about" ("about 120,000": 5,000). Other whole numbers are exact; two
whole numbers of a measured unit differ by no more than the finer of them was rounded, so that 18,491 ft are 5,636 m but
two weeks are not 12 days. Dates are compared as days: one within the other agrees, so a year agrees with every day of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from generators.conflicts.dates import Days, agree, dates, year
from generators.conflicts.units import CURRENCIES, POUND, SCALES, UNITS, Unit, unit

_FIRST_YEAR, _LAST_YEAR = 1000, 2100  # a bare number between them may be a year
_TO_NINETEEN = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_ONES = _TO_NINETEEN.split()
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMERALS = {word: float(n) for n, word in enumerate(_ONES)} | {w: 10.0 * n for n, w in enumerate(_TENS, start=2)}
_HEDGE = r"about|around|approximately|approx\.?|roughly|nearly|almost|some|circa|c\.|ca\.|~|≈"
_DIGITS = r"\d+(?:[,\u00a0\u202f\u2009]\d{3})+(?!\d)(?:\.\d+)?|\d+,\d{1,2}(?![\d,])|\d+(?:\.\d+)?|\.\d+"
NUMERALS = rf"(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_ONES[1:10])}))?|{'|'.join(reversed(_ONES))}"
_MONEY = "|".join(
    re.escape(code) for code in sorted(CURRENCIES, key=len, reverse=True) if not code.isalpha() or len(code) == 3
)
_SIGN = r"(?<![\w)%°])[-−–]"
_NUMBER = re.compile(
    rf"(?:(?P<hedge>{_HEDGE})\s*)?(?:(?P<minus>{_SIGN})?(?P<money>{_MONEY})\s?)?(?P<sign>{_SIGN})?"
    rf"(?<![\w.])(?:(?P<digits>{_DIGITS})(?!\.?\d)|(?P<words>{NUMERALS})\b)"
    r"(?:(?P<short>k|bn|(?-i:[mMBT]))\b)?"
    rf"(?:[ -]?(?P<scale>{'|'.join(s for s in SCALES if len(s) > 1)})\b)?"
    r"(?:[ -]?(?P<unit>%|per ?cent|(?:square|sq\.?) \w+|°\s?[CF]\b|[A-Za-z]+(?:/[a-z]+|[²³23])?(?![\w])))?",
    re.IGNORECASE,
)
_SQUARE = {"metre": "m²", "meter": "m²", "m": "m²", "kilometre": "km²", "kilometer": "km²", "km": "km²", "mile": "mi²"}
_SQUARE |= {"mi": "mi²", "foot": "ft²", "feet": "ft²", "ft": "ft²"}


class Comparison(StrEnum):
    """How two quantities stand to one another."""

    SAME = "same"
    DIFFERENT = "different"
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number or a date as it stands in a text.

    Parameters
    ----------
    start, end
        Its offsets, unit included.
    value
        In base units; NaN for a date that is no lone year.
    tolerance
        Half of the digit that it was rounded to, in base units; 0 where it is exact.
    whole
        Whether it was written as a whole number, without a scale or a word such as "about".
    unit
        What it counts; empty for a bare number.
    days
        What it means as a date; empty where it is none. A bare number from 1000 to 2100 is both.
    pounds
        Whether it was written in "pounds": a weight, which may be money beside "£".
    """

    start: int
    end: int
    value: float = float("nan")
    tolerance: float = 0.0
    whole: bool = False
    unit: str = ""
    days: tuple[Days, ...] = ()
    pounds: bool = False


def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities in ``text``, in order, none overlapping another.

    >>> [(q.value, q.unit) for q in quantities("3,559 people, 1.2 million dollars and 12 %")]
    [(3559.0, 'people'), (1200000.0, 'usd'), (12.0, 'percent')]
    """
    found = [Quantity(each.start, each.end, days=each.readings) for each in dates(text)]
    taken = [(each.start, each.end) for each in found]
    found += [each for each in _numbers(text) if all(each.end <= start or each.start >= end for start, end in taken)]
    return tuple(sorted(found, key=lambda each: each.start))


def compare(one: Quantity, other: Quantity) -> Comparison:
    """Whether two quantities are the same, different, or of kinds that cannot be compared (people and kilometres).

    A number without a unit is compared with any: the question that both answer says what it counts.
    """
    if one.days and other.days:
        return Comparison.SAME if agree(one.days, other.days) else Comparison.DIFFERENT
    if one.value != one.value or other.value != other.value:  # NaN: a date beside a number
        return Comparison.NOT_COMPARABLE
    one, other = _beside(one, other), _beside(other, one)
    if one.unit != other.unit and one.unit and other.unit:
        return Comparison.NOT_COMPARABLE
    coarser = min if one.whole and other.whole else max
    allowed = coarser(one.tolerance, other.tolerance) + 1e-9 * max(abs(one.value), abs(other.value))
    return Comparison.SAME if abs(one.value - other.value) <= allowed else Comparison.DIFFERENT


def sterling(quantity: Quantity) -> Quantity:
    """Pounds as money instead of as a weight; any other quantity as it is."""
    if not quantity.pounds:
        return quantity
    factor = UNITS["pound"].factor
    return replace(quantity, value=quantity.value / factor, tolerance=quantity.tolerance / factor, unit=POUND)


def _beside(quantity: Quantity, other: Quantity) -> Quantity:
    return sterling(quantity) if other.unit == POUND else quantity


def _numbers(text: str) -> Iterator[Quantity]:
    for match in _NUMBER.finditer(text):
        counted, end = _unit(match)
        scale = _scale(match)
        if match["words"] and match["words"].lower() == "one" and scale == 1 and not counted.name:
            continue  # a pronoun
        number, place = (spoken(match["words"]), 0.0) if match["words"] else _written(match["digits"])
        whole = not place and not match["hedge"] and scale == 1
        place = place or _rounding(match, number, scale, counted)
        value = (-number if match["sign"] or match["minus"] else number) * scale
        bare = not counted.name and scale == 1 and (match["digits"] or "").isdigit()
        days = (year(int(value)),) if bare and _FIRST_YEAR <= value <= _LAST_YEAR else ()
        start = min(match.start(name) for name in ("minus", "money", "sign", "digits", "words") if match[name])
        tolerance = place / 2 * scale * counted.factor
        pounds = counted is UNITS["pound"]
        yield Quantity(start, end, value * counted.factor, tolerance, whole, counted.name, days, pounds)


def _scale(match: re.Match[str]) -> float:
    word = (match["scale"] or match["short"] or "").lower()
    return SCALES[word] if word and not _metres(match) else 1.0


def _metres(match: re.Match[str]) -> bool:
    """Whether it is "3m"; "3M" and "$3m" are millions."""
    return match["short"] == "m" and not match["money"]


def _unit(match: re.Match[str]) -> tuple[Unit, int]:
    """What the number counts, and where it ends with that."""
    before = max(match.end(name) for name in ("digits", "words", "short", "scale"))
    if match["money"]:
        return Unit(CURRENCIES[match["money"].lower()]), before
    if _metres(match):
        return UNITS["m"], before
    word = (match["unit"] or "").lower().replace("per cent", "percent").replace("° ", "°")
    if " " in word:
        word = _SQUARE.get(word.split()[1].removesuffix("s"), "")
    named = unit(word) if word else None
    return (named, match.end("unit")) if named else (Unit(), before)


def _written(digits: str) -> tuple[float, float]:
    """Number, and the place of its last decimal; 0 for a whole number."""
    plain = re.sub(r"[,\u00a0\u202f\u2009](?=\d{3})", "", digits).replace(",", ".")
    decimals = len(plain.partition(".")[2])
    return float(plain), 10.0**-decimals if decimals else 0.0


def spoken(words: str) -> float:
    """The number that ``NUMERALS`` matches: 25 for "twenty-five"."""
    return sum(_NUMERALS[word] for word in re.split(r"[ -]", words.lower()))


def _rounding(match: re.Match[str], number: float, scale: float, counted: Unit) -> float:
    """The place that a number without decimals was rounded to, before its scale; 0 where it is exact."""
    if number and match["hedge"]:
        digits = str(int(number))
        return 10.0 ** (len(digits) - len(digits.rstrip("0")))
    return 1.0 if number and (scale > 1 or counted.continuous) else 0.0
