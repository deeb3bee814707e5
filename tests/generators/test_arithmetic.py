from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generators.arithmetic import calculate
from indexes.errors import InputError
from retrievers.gate import expression


@pytest.mark.parametrize(
    ("sum_", "value"),
    [
        ("17*23", "391"),
        ("1/8", "0.125"),
        ("2**10", "1024"),
        ("15/100*80", "12"),
        ("-(3+4)*2", "-14"),
        ("0.1+0.2", "0.3"),
        ("1/3*3", "1"),
        ("2**0.5", "1.414213562373095048801688724"),
        ("9007199254740993.5+0", "9007199254740993.5"),
        ("0.30000000000000000000000001+1", "1.30000000000000000000000001"),
        ("9999999999999999999999999999.9+0", "1e+28"),
    ],
)
def test_values(sum_: str, value: str) -> None:
    assert calculate(sum_) == value


@pytest.mark.parametrize(
    "sum_", ["1/0", "2**100000", "9**9**9**9", "1+", "a+1", "__import__('os')", "(" * 300 + "1" + ")" * 300]
)
def test_what_cannot_be_calculated_is_an_error_that_says_so(sum_: str) -> None:
    with pytest.raises(InputError, match="cannot be calculated"):
        calculate(sum_)


@pytest.mark.parametrize(
    ("sum_", "reason"),
    [
        ("1/0", "divides by zero"),
        ("0/0", "divides by zero"),
        ("5%0", "divides by zero"),
        ("0**-1", "divides by zero"),
        ("2**100000", "too large"),
        ("10**100%7", "too large"),
        ("(10**1000)**1000", "too large"),
        ("(-4)**0.5", "no value in real numbers"),
        ("1+", "no arithmetic expression"),
    ],
)
def test_the_reason_is_told_in_words(sum_: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        calculate(sum_)


PIECES = [
    "0",
    "05",
    "3",
    "1,000",
    "2.50",
    ".5",
    "7.",
    "...",
    "٣",
    ",",
    "(",
    ")",
    "%",
    " ",
    "^",
    "+",
    "-",
    "*",
    "/",
    "//",
]
WORDS = [" plus ", " times ", " percent of ", "square root of ", " squared", "What is ", "half of ", " over "]


@given(st.lists(st.sampled_from(PIECES + WORDS), max_size=8).map("".join))
@settings(max_examples=500, deadline=None)
@example("50 + 10%")
@example("05 + 3")
@example("... + 1+2")
@example("1,5 + 2")
def test_what_the_gate_takes_for_a_calculation_is_computed_or_has_no_value(question: str) -> None:
    found = expression(question)
    if found is None:
        return
    try:
        assert Decimal(calculate(found)).is_finite()
    except InputError as error:
        assert any(reason in error.problem for reason in ("divides by zero", "too large", "no value in real numbers"))


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.sampled_from("+-*"))
def test_whole_numbers_agree_with_python(left: int, right: int, sign: str) -> None:
    expected = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert calculate(f"({left}){sign}({right})") == str(expected)
