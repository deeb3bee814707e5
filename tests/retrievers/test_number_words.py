from __future__ import annotations

import pytest

from retrievers.number_words import digits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zero", "0"),
        ("seventy", "70"),
        ("forty-two minus Seventeen", "42 minus 17"),
        ("one hundred and five", "105"),
        ("two thousand three hundred", "2300"),
        ("three hundred thousand", "300000"),
        ("one million two hundred thousand and six", "1200006"),
        ("twelve and thirty", "12 and 30"),
        ("one two three", "1 2 3"),
        ("twenty ten", "20 10"),
        ("nineteen eighty four", "19 84"),
        ("one thousand and two", "1002"),
        ("one hundred, two", "100, 2"),
    ],
)
def test_numbers_in_words_become_digits(text: str, expected: str) -> None:
    assert digits(text) == expected


@pytest.mark.parametrize("text", ["hundred", "a thousand", "someone", "tenants", "7-eleven", "nine-to-five", "", "12"])
def test_other_words_stay(text: str) -> None:
    assert digits(text) == text


@pytest.mark.parametrize("value", [*range(100), 101, 110, 219, 999, 1000, 1001, 4321, 70_015, 999_999, 2_000_003])
def test_every_number_is_read_as_it_is_written(value: int) -> None:
    assert digits(spelled(value)) == str(value)


ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spelled(value: int) -> str:
    for scale, word in ((1_000_000, "million"), (1000, "thousand"), (100, "hundred")):
        if value >= scale:
            rest = value % scale
            joint = " and " if rest and rest < 100 else " "
            return f"{spelled(value // scale)} {word}" + (f"{joint}{spelled(rest)}" if rest else "")
    if value < 20:
        return ONES[value]
    return TENS[value // 10 - 2] + (f"-{ONES[value % 10]}" if value % 10 else "")
