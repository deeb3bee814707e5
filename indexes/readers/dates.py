"""Dates as sources write them, as far as they can be read without guessing."""

from __future__ import annotations

import re
from datetime import date

_ISO = re.compile(r"(\d{4})(?:-(\d{2})-(\d{2}))?(?=$|[T\s])", re.ASCII)


def iso_date(value: object) -> str:
    """``2024-03-07`` or ``2024`` where ``value`` begins with a real date or year written so, else an empty string.

    Other orders (``03/07/24``) are ambiguous and are not read.
    """
    found = _ISO.match(str(value).strip())
    if not found:
        return ""
    year, month, day = found.groups()
    if month is None:
        return year
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""
