from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.conflicts.dates import agree, dates, year


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("born on 5 March 2001 or in the 1880s", ["5 March 2001", "1880s"]),
        ("from 1926-27 until June 1930", ["1926-27", "June 1930"]),
        ("on 2001-03-05, a 30 February 2001 never was", ["2001-03-05", "February 2001"]),
        ("In 1998 there were 12 May roses.", []),
        ("rooms 1926 to 1920", []),
        ("On March 1, 250 people; in May 300 people; in 1901 and 50 people", []),
        ("on March 1, 250 AD, 1 March 250 and in May 300 BC", ["March 1, 250", "1 March 250", "May 300"]),
        ("from 1926/27 to 1930, from 1940 to 1950", ["1926/27", "1940 to 1950"]),
    ],
)
def test_dates_are_found_in_order_and_lone_years_are_left(text: str, found: list[str]) -> None:
    assert [text[each.start : each.end] for each in dates(text)] == found


def test_a_range_is_its_ends_and_the_whole_and_a_choice_is_not_the_whole() -> None:
    (span,) = dates("1926-1927")
    assert span.readings == (year(1926), year(1927), (date(1926, 1, 1), date(1927, 12, 31)))
    for text in ("1926 to 1927", "between 1926 and 1927", "1926–27"):
        assert dates(text)[0].readings == span.readings
    for text in ("1699 or 1701", "1699 and 1701", "1699/1701"):
        (choice,) = dates(text)
        assert choice.readings == (year(1699), year(1701))


@given(st.dates(min_value=date(1000, 1, 1), max_value=date(2999, 12, 31)))
def test_every_day_is_read_in_each_way_of_writing(day: date) -> None:
    ways = [day.isoformat(), f"{day.day} {day:%B} {day.year}", f"{day:%b} {day.day}, {day.year}"]
    assert [each.readings for way in ways for each in dates(way)] == [((day, day),)] * 3
    assert agree(((day, day),), (year(day.year),))
    assert not agree(((day, day),), (year(day.year + 1),))
