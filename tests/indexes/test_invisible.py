from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexes.invisible import shown, words_of
from indexes.passage import Passage
from indexes.terms import terms


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("pass\u200bword", "password"),
        ("soft\u00adhyphen", "softhyphen"),
        ("w\u200co\u200drd", "word"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs its joiners
        ("क\u094d\u200dष", "क\u094d\u200dष"),
        ("a\U000e0041\U000e0042b", "ab"),
        ("\u202eabc\u202c", "abc"),
        ("\ufeffabc", "abc"),
        ("Ünïcödé – “quotes” 日本", "Ünïcödé – “quotes” 日本"),
    ],
)
def test_words_are_read_without_what_is_not_seen(text: str, read: str) -> None:
    assert words_of(text) == read


@given(st.text())
def test_what_is_shown_is_as_long_as_the_text_so_that_offsets_hold(text: str) -> None:
    assert len(shown(text)) == len(text)
    assert shown(shown(text)) == shown(text)
    assert words_of(words_of(text)) == words_of(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_text_is_as_it_was(text: str) -> None:
    assert shown(text) == words_of(text) == text


@pytest.mark.parametrize("sign", ["\x1b", "\x9b", "\x07", "\r", "\u202e", "\u2066", "\U000e0041", "\ud800"])
def test_signs_that_could_deceive_are_seen(sign: str) -> None:
    assert shown(f"a{sign}b") == "a\N{REPLACEMENT CHARACTER}b"


def test_hidden_letters_do_not_hide_a_word_from_search() -> None:
    passage = Passage("p", "d", "The f\u200be\u200brry leaves.", title="Time\u00adtable")
    assert terms("ferry timetable") <= terms(passage.searchable)
    assert terms("f\u200berry") == terms("ferry")


def test_a_heading_is_one_line() -> None:
    assert Passage("p", "d", "x", title="One\n[2] two", place="a\tb").heading == "One [2] two › a b"
