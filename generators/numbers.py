"""Numbers in text, compared as numbers."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")


def numbers(text: str) -> frozenset[str]:
    """The numbers in ``text``, without thousands separators and trailing zeros.

    >>> sorted(numbers("1,200.50 people in 1990"))
    ['1200.5', '1990']
    """
    found = (match[0].replace(",", "") for match in _NUMBER.finditer(text))
    return frozenset(n.rstrip("0").rstrip(".") if "." in n else n for n in found)
