from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from generators.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_abbreviations_initials_and_decimals_end_nothing() -> None:
    assert cut("George H.W. Bush paid 3.5 dollars. Mr. Ford did not.") == [
        "George H.W. Bush paid 3.5 dollars.",
        "Mr. Ford did not.",
    ]


def test_a_line_end_ends_a_sentence() -> None:
    assert cut("Capital: Lima\nCurrency: sol") == ["Capital: Lima", "Currency: sol"]


def test_other_scripts_end_theirs() -> None:
    assert cut("利马是首都。它很大。") == ["利马是首都。", "它很大。"]


@given(st.text(max_size=300))
def test_sentences_are_ordered_trimmed_and_hold_every_letter(text: str) -> None:
    spans = sentences(text)
    assert spans == sorted(spans)
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))
    inside = "".join(text[start:end] for start, end in spans)
    assert sum(c.isalnum() for c in inside) == sum(c.isalnum() for c in text)
