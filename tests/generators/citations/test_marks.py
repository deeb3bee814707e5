from __future__ import annotations

import time

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
        ("[1, 2] and [a]", "(1, 2) and [a]"),
        ("Red [1,3], blue [2; 3].", "Red (1,3), blue (2; 3)."),
        ("The list [1, 9] is short.", "The list [1, 9] is short."),  # not all of them are sources
        ("It fell in 1990[2] and the 1950s[1].", "It fell in 1990(2) and the 1950s(1)."),
        ("At 3.5[2] metres.", "At 3.5(2) metres."),
        ("It is red[1][2].", "It is red(1)(2)."),
        ("It is red[1], or blue[2]; so they say[1, 2]", "It is red(1), or blue(2); so they say(1, 2)"),
        ("It is red[1]\nand blue.", "It is red(1)\nand blue."),
        ("The sol (of Peru)[1]. It is “red”[2].", "The sol (of Peru)(1). It is “red”(2)."),
        ("Perú[1] pays, 中国[2]也。", "Perú(1) pays, 中国(2)也。"),
    ],
)
def test_numbers_of_sources_in_brackets_are_put_in_parentheses(text: str, made: str) -> None:
    assert unmarked(text, {1, 2, 3}) == made


@pytest.mark.parametrize(
    "text",
    [
        "names[1] and f(x)[1] and x[1][2]",
        "The first is x[1].",
        "Write `items[1, 2]` or `a = [1]`, and `names[1]`.",
        "The argument is sys.argv[1], then first_names[2].",
        "It is f(x)[1].",
        "first = names[1]",
        "total += names[1]",
        "print(names[1], names[2])",
        "rows[0][1].",
        '{"a": 1}[1].',
    ],
)
def test_what_is_picked_from_something_in_code_stays(text: str) -> None:
    assert unmarked(text, {1, 2, 3}) == text


def test_brackets_without_an_end_take_little_time() -> None:
    started = time.process_time()
    for piece in ("f(", "[1", "_", "[1][", "a.", "`", "x[1]", "1,"):
        unmarked((piece * 20_000)[:20_000] + " [1]", {1})
    assert time.process_time() - started < 5


def test_a_list_of_a_checked_and_an_unchecked_number_does_not_stay() -> None:
    claim = Claim("Red [1, 2].", 0, 11, "supported", (Citation(1, 0, 3, 0.1, 0.9),))
    assert without_marks("Red [1, 2].", [claim], {1, 2})[0] == "Red (1, 2)."
    cited = Claim("Red [1, 2].", 0, 11, "supported", (Citation(1, 0, 3, 0.1, 0.9), Citation(2, 0, 3, 0.1, 0.9)))
    assert without_marks("Red [1, 2].", [cited], {1, 2})[0] == "Red [1, 2]."


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
