"""What sort of answer a question wants, by its words: a date, a number, or anything. The cheapest check on an answer."""

from __future__ import annotations

import re

from generators.conflicts.quantities import Quantity, quantities
from generators.conflicts.units import PERCENT

_DATE = re.compile(
    r"\bwhen\b|\b(?:what|which) (?:year|date|day|month)\b|\b(?:birth|founding|release) date\b", re.IGNORECASE
)
_COUNT = re.compile(r"\bhow many\b|\bpopulation\b|\bnumber of\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\bhow (?:much|long|old|far|tall|high|large|big|deep|heavy|fast|wide)\b|\bmedian age\b|\bpercent", re.IGNORECASE
)
_WHO = re.compile(r"\bwho(?:se|m)?\b", re.IGNORECASE)
_MONTH_OR_DAY = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|\b\w+days?\b|\bcentury\b", re.IGNORECASE
)


def fits(answer: str, question: str) -> bool:
    """Whether ``answer`` is of the sort that ``question`` wants; a question whose words do not tell takes any.

    >>> fits("Nebraska", "When was it built?"), fits("about 1835", "When was it built?")
    (False, True)
    >>> [fits(answer, "What is the population of Manvel?") for answer in ("11.9%", "11.9% (2019 est.)", "3,046 in 2019", "1999")]
    [False, False, True, True]
    """
    wanted = wanted_quantities(answer, question)
    if wanted is not None:
        return bool(wanted) or (_wants_date(question) and _MONTH_OR_DAY.search(answer) is not None)
    return not _WHO.search(question) or any(character.isupper() for character in answer)


def wanted_quantities(answer: str, question: str) -> tuple[Quantity, ...] | None:
    """The quantities in ``answer`` of the sort that ``question`` wants; ``None`` where it does not want a quantity."""
    found = quantities(answer)
    if _wants_date(question):
        return tuple(each for each in found if each.days)
    undated = tuple(each for each in found if not each.days) or found  # "20.3% (2019 est.)" says a share, not 2019
    if _COUNT.search(question):
        return tuple(each for each in undated if each.unit != PERCENT)
    return undated if _NUMBER.search(question) else None


def _wants_date(question: str) -> bool:
    return _DATE.search(question) is not None and not _COUNT.search(question)
