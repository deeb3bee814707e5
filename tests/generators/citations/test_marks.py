from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.answer import Citation, Claim, Conflict, Side
from generators.citations.marks import sides_without_marks, unmarked, without_marks


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("It is red [2].", "It is red (2)."),
        ("It is red. [1][2]", "It is red. (1)(2)"),
        ("[1] It is red.", "(1) It is red."),
        ("It is red [9].", "It is red [9]."),  # there is no such source
        ("names[1] and f(x)[1] and x[1][2]", "names[1] and f(x)[1] and x[1][2]"),
        ("[1, 2] and [a]", "[1, 2] and [a]"),
    ],
)
def test_numbers_of_sources_in_brackets_are_put_in_parentheses_and_code_is_not(text: str, made: str) -> None:
    assert unmarked(text, {1, 2, 3}) == made


def test_a_number_that_the_sentence_cites_stays() -> None:
    text = "Red [1]. Blue [1]."
    claims = (
        Claim("Red [1].", 0, 8, "supported", (Citation(1, 0, 3, 0.1, 0.9),)),
        Claim("Blue [1].", 9, 18, "unsupported"),
    )
    made, kept = without_marks(text, claims, {1})
    assert made == "Red [1]. Blue (1)."
    assert [claim.text for claim in kept] == ["Red [1].", "Blue (1)."]


@given(st.text("[]()123a ."), st.integers(0, 20), st.integers(0, 20))
def test_offsets_hold(text: str, first: int, second: int) -> None:
    start, end = sorted((min(first, len(text)), min(second, len(text))))
    claim = Claim(text[start:end], start, end, "unsupported")
    made, (kept,) = without_marks(text, [claim], {1, 2})
    assert len(made) == len(text)
    assert made[kept.start : kept.end] == kept.text


def test_sides_of_a_conflict_hold_none_either() -> None:
    assert sides_without_marks(None, {1}) is None
    made = sides_without_marks(Conflict("?", (Side("red [1]", ()), Side("blue", ()))), {1})
    assert made is not None
    assert [side.text for side in made.sides] == ["red (1)", "blue"]
