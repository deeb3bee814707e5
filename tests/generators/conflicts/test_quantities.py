from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.conflicts.quantities import Comparison, Quantity, compare, quantities


def only(text: str) -> Quantity:
    (found,) = quantities(text)
    return found


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("3,559 people", 3559, "people"),
        ("3559 inhabitants", 3559, "people"),
        ("1.2 million", 1.2e6, ""),
        ("5k", 5000, ""),
        ("$3.5m", 3.5e6, "usd"),
        ("3.5 million dollars", 3.5e6, "usd"),
        ("€200", 200, "eur"),
        ("12 %", 12, "percent"),
        ("12 per cent", 12, "percent"),
        ("3m", 3, "metre"),
        ("996 cc", 0.996, "litre"),
        ("1.5 square miles", 1.5 * 2589988.110336, "square metre"),
        ("twenty-five days", 25 * 86400, "second"),
        ("-10 m", -10, "metre"),
        ("a 243-year cycle", 243, "year"),
        ("1,575 households", 1575, "household"),
        ("3,5 million", 3.5e6, ""),
        ("0.0 %", 0, "percent"),
        ("5.4M people", 5.4e6, "people"),
        ("5.4M", 5.4e6, ""),
        ("$3.5B", 3.5e9, "usd"),
        ("€2T", 2e12, "eur"),
        ("$3m", 3e6, "usd"),
        ("5t", 5000, "kilogram"),
        ("5 MB", 5e6, "byte"),
        ("-$5 million", -5e6, "usd"),
        ("€-5", -5, "eur"),
    ],
)
def test_a_number_is_read_with_its_unit_and_scale(text: str, value: float, unit: str) -> None:
    found = only(text)
    assert (found.value, found.unit) == (pytest.approx(value), unit)
    assert not found.days


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("5 March 2001", "2001-03-05", "2001-03-05"),
        ("March 5, 2001", "2001-03-05", "2001-03-05"),
        ("2001-03-05", "2001-03-05", "2001-03-05"),
        ("the 5th of March 2001", "2001-03-05", "2001-03-05"),
        ("February 2000", "2000-02-01", "2000-02-29"),
        ("December 1999", "1999-12-01", "1999-12-31"),
        ("in 1998", "1998-01-01", "1998-12-31"),
        ("the 1880s", "1880-01-01", "1889-12-31"),
        ("12 March 987", "0987-03-12", "0987-03-12"),
    ],
)
def test_a_date_is_the_days_that_it_means(text: str, first: str, last: str) -> None:
    assert [tuple(map(str, days)) for days in only(text).days] == [(first, last)]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("3,559 people", "3559", "same"),
        ("3,559 people", "3,506 people", "different"),
        ("3,559 people", "3,559 households", "not comparable"),
        ("1.2 million", "1,234,567 people", "same"),
        ("1.2 million", "1.3 million", "different"),
        ("about 120,000", "117,000", "same"),
        ("120,000", "117,000", "different"),
        ("43 years", "42.7 years", "same"),
        ("43 years", "42 years", "different"),
        ("two weeks", "14 days", "same"),
        ("2 weeks", "12 days", "different"),
        ("1 day", "36 hours", "different"),
        ("5,636 m", "18,491 ft", "same"),
        ("996 cc", "1.0 litre", "same"),
        ("12 %", "12.3 percent", "same"),
        ("$200", "€200", "not comparable"),
        ("5 March 2001", "2001", "same"),
        ("5 March 2001", "7 March 2001", "different"),
        ("March 2001", "5 March 2001", "same"),
        ("3/4/2001", "4 March 2001", "same"),
        ("1699 or 1701", "1701", "same"),
        ("1699 or 1701", "1700", "different"),
        ("1926-1927", "1926", "same"),
        ("1926-27", "1926 to 1927", "same"),
        ("5 March 2001", "12 people", "not comparable"),
        ("0", "0.4", "different"),
        ("0 people", "0", "same"),
        ("-10 m", "10 m", "different"),
        ("-$5 million", "$5 million", "different"),
        ("$3.5B", "$3.5 billion", "same"),
        ("5.4M people", "5.4 metres", "not comparable"),
        ("£5 million", "5 million pounds", "same"),
        ("£5 million", "6 million pounds", "different"),
        ("£5", "5 lb", "not comparable"),
        ("£5", "5 kg", "not comparable"),
        ("2 pounds", "0.907 kg", "same"),
        ("1950 and 1990", "1970", "different"),
        ("1950 and 1990", "1990", "same"),
        ("between 1950 and 1990", "1970", "same"),
    ],
)
def test_two_quantities_compared(one: str, other: str, expected: str) -> None:
    assert compare(only(one), only(other)) == compare(only(other), only(one)) == Comparison(expected)


def test_a_year_is_told_from_a_number_by_what_it_counts() -> None:
    assert only("2001").days
    assert not only("2001 people").days
    assert not only("2,001").days
    assert compare(only("1200"), only("2,355")) is Comparison.DIFFERENT


def test_what_is_no_date_is_read_as_numbers() -> None:
    assert [found.value for found in quantities("Feb 31, 2001")] == [31, 2001]


@pytest.mark.parametrize("text", ["5%-10%", "5%–10%", "5°-10°", "5-10 %"])
def test_the_hyphen_of_a_range_is_no_minus(text: str) -> None:
    assert [each.value for each in quantities(text)] == [5, 10]


def test_what_stands_beside_a_year_or_a_day_is_read_as_what_it_counts() -> None:
    assert [each.value for each in quantities("founded in 1901 and 50 people work there")] == [1901, 50]
    assert [each.value for each in quantities("On March 1, 250 people came.")] == [1, 250]


def test_a_number_with_more_than_one_point_is_a_name() -> None:
    assert quantities("3.10.1") == quantities("192.168.0.1") == ()
    assert only("It is 3.10.").value == 3.1


def test_a_pronoun_is_no_number() -> None:
    assert quantities("one of them") == ()
    assert only("one day").value == 86400


def test_the_offsets_hold_the_unit() -> None:
    text = "It has 3,559 people, 1,575 households and 2 GB since 5 March 2001."
    spans = [text[each.start : each.end] for each in quantities(text)]
    assert spans == ["3,559 people", "1,575 households", "2 GB", "5 March 2001"]


@given(st.text(alphabet="0123456789.,-/ %$€mkMarch()ofor", max_size=40))
def test_any_text_is_read_without_overlaps_and_each_quantity_is_itself(text: str) -> None:
    found = quantities(text)
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(each.days or math.isfinite(each.value) for each in found)
    assert all(compare(each, each) is Comparison.SAME for each in found)
