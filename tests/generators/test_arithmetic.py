from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.arithmetic import calculate
from indexes.errors import InputError


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("17*23", "391"),
        ("1/8", "0.125"),
        ("2**10", "1024"),
        ("15/100*80", "12"),
        ("-(3+4)*2", "-14"),
        ("0.1+0.2", "0.3"),
    ],
)
def test_values(expression: str, value: str) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "expression", ["1/0", "2**100000", "9**9**9**9", "1+", "a+1", "__import__('os')", "(" * 300 + "1" + ")" * 300]
)
def test_what_cannot_be_calculated_is_an_error_that_says_so(expression: str) -> None:
    with pytest.raises(InputError, match="cannot be calculated"):
        calculate(expression)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.sampled_from("+-*"))
def test_whole_numbers_agree_with_python(left: int, right: int, sign: str) -> None:
    expected = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert calculate(f"({left}){sign}({right})") == str(expected)
