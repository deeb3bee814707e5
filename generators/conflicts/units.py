"""Units of measure: what a number counts, and how many of the base unit one of them is.

Only units of one dimension can be compared. A plural noun that is no unit of measure ("households") is a unit of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

PEOPLE = "people"
PERCENT = "percent"
POUND = "gbp"
SCALES = {
    "hundred": 1e2,
    "thousand": 1e3,
    "k": 1e3,
    "m": 1e6,
    "million": 1e6,
    "mn": 1e6,
    "billion": 1e9,
    "b": 1e9,
    "bn": 1e9,
    "trillion": 1e12,
    "t": 1e12,
}
CURRENCIES = {
    "$": "usd",
    "us$": "usd",
    "usd": "usd",
    "dollar": "usd",
    "€": "eur",
    "eur": "eur",
    "euro": "eur",
    "£": POUND,
    "gbp": POUND,
    "¥": "jpy",
    "jpy": "jpy",
    "yen": "jpy",
    "chf": "chf",
    "franc": "chf",
    "inr": "inr",
    "rupee": "inr",
}
_MEASURES: dict[str, dict[str, float]] = {
    "metre": {
        "mm millimetre millimeter": 1e-3,
        "cm centimetre centimeter": 1e-2,
        "m metre meter": 1.0,
        "km kilometre kilometer": 1e3,
        "inch inche": 0.0254,
        "ft foot feet": 0.3048,
        "yd yard": 0.9144,
        "mi mile": 1609.344,
    },
    "square metre": {
        "m² m2 sqm": 1.0,
        "ha hectare": 1e4,
        "km² km2": 1e6,
        "acre": 4046.8564224,
        "mi²": 2589988.110336,
        "ft²": 0.09290304,
    },
    "kilogram": {
        "mg milligram": 1e-6,
        "g gram": 1e-3,
        "kg kilogram": 1.0,
        "t tonne": 1e3,
        "lb lbs pound": 0.45359237,
        "oz ounce": 0.028349523125,
    },
    "litre": {
        "ml millilitre milliliter cc cm³ cm3": 1e-3,
        "cl": 1e-2,
        "l litre liter": 1.0,
        "m³ m3": 1e3,
        "gal gallon": 3.785411784,
    },
    "second": {
        "ms millisecond": 1e-3,
        "s sec second": 1.0,
        "min minute": 60.0,
        "h hr hour": 3600.0,
        "day": 86400.0,
        "week": 604800.0,
    },
    "year": {"month": 1 / 12, "yr year": 1.0, "decade": 10.0, "century centurie": 100.0},
    "byte": {"byte": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 1024.0, "mib": 2.0**20, "gib": 2.0**30},
    "hertz": {"hz hertz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9},
    "watt": {"w watt": 1.0, "kw kilowatt": 1e3, "hp horsepower": 745.69987158227},
    "volt": {"mv": 1e-3, "v volt": 1.0, "kv": 1e3},
    "pascal": {"pa": 1.0, "kpa": 1e3, "bar": 1e5, "psi": 6894.757293168},
    "metre per second": {"m/s": 1.0, "km/h kph": 1 / 3.6, "mph": 0.44704},
    "newton metre": {"nm": 1.0},
    "degree Celsius": {"°c": 1.0},
    "degree Fahrenheit": {"°f": 1.0},
    PERCENT: {"% percent": 1.0},
    PEOPLE: {"people person inhabitant resident citizen": 1.0},
}
_NO_NOUNS = "this thus plus minus versus times hers ours yours theirs always does whereas"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts.

    Parameters
    ----------
    name
        The base unit of its dimension, the code of a currency, the singular of a counted noun; empty for a bare number.
    factor
        How many base units one of it is.
    continuous
        Whether numbers of it are measured, and so may have been rounded to a whole.
    """

    name: str = ""
    factor: float = 1.0
    continuous: bool = False


UNITS = {
    alias: Unit(base, factor, base != PEOPLE)
    for base, aliases in _MEASURES.items()
    for group, factor in aliases.items()
    for alias in group.split()
}


def unit(word: str) -> Unit | None:
    """The unit that ``word`` names behind a number; ``None`` where it is an ordinary word.

    >>> unit("km"), unit("Kilometres").name, unit("households").name, unit("in the") is None
    (Unit(name='metre', factor=1000.0, continuous=True), 'metre', 'household', True)
    """
    lower = word.lower()
    for form in (lower, lower.removesuffix("s")):
        if form in CURRENCIES:
            return Unit(CURRENCIES[form])
        if form in UNITS:
            return UNITS[form]
    return Unit(lower.removesuffix("s")) if _counted(lower) else None


def _counted(word: str) -> bool:
    """Whether it looks like the plural of a noun."""
    return (
        len(word) > 3
        and word.isalpha()
        and word.endswith("s")
        and not word.endswith("ss")
        and word not in _NO_NOUNS.split()
    )
