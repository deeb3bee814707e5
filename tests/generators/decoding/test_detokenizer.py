from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.decoding.detokenizer import Detokenizer, StopFilter, TextStream


def decode_bytes(tokens: Sequence[int]) -> str:
    return bytes(tokens).decode("utf-8", errors="replace")


def decode_words(tokens: Sequence[int]) -> str:
    """As SentencePiece does: every word brings its space, and the first space is dropped."""
    return " ".join(f"w{token}" for token in tokens)


def pieces(text: str) -> list[str]:
    detokenizer = Detokenizer(decode_bytes)
    return [*(detokenizer.push(byte) for byte in text.encode()), detokenizer.close()]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(st.characters(exclude_characters="\ufffd", exclude_categories=["Cs"]), max_size=40))
def test_pieces_concatenate_to_the_text_and_never_hold_half_a_character(text: str) -> None:
    assert "".join(pieces(text)) == text
    assert all("\ufffd" not in piece for piece in pieces(text))


def test_a_character_appears_with_its_last_byte() -> None:
    assert pieces("é€🙂") == ["", "é", "", "", "€", "", "", "", "🙂", ""]


def test_spaces_in_front_of_words_survive() -> None:
    detokenizer = Detokenizer(decode_words)
    assert [detokenizer.push(token) for token in (1, 2, 3)] == ["w1", " w2", " w3"]


def test_bytes_that_never_became_a_character_are_dropped_at_the_end() -> None:
    detokenizer = Detokenizer(decode_bytes)
    shown = [detokenizer.push(byte) for byte in b"ab\xf0\x9f"]
    assert shown == ["a", "b", "", ""]
    assert detokenizer.close() == ""


def test_broken_bytes_in_the_middle_are_shown_as_the_tokenizer_shows_them() -> None:
    detokenizer = Detokenizer(decode_bytes)
    shown = "".join(detokenizer.push(byte) for byte in b"a\xffb\xc3\xa9")
    assert shown + detokenizer.close() == "a\ufffdbé"


def test_tokens_without_text_change_nothing() -> None:
    detokenizer = Detokenizer(lambda tokens: "".join("" if token == 0 else chr(token) for token in tokens))
    assert [detokenizer.push(token) for token in (0, 65, 0, 66)] == ["", "A", "", "B"]


def filtered(chunks: Sequence[str], stop: Sequence[str]) -> tuple[list[str], str, bool]:
    stops = StopFilter(stop)
    shown = [stops.push(chunk) for chunk in chunks]
    return shown, stops.close(), stops.stopped


def test_a_stop_string_across_pieces_is_never_shown_in_part() -> None:
    shown, rest, stopped = filtered(["Yes.", "\n", "Ques", "tion", ": more"], ["\nQuestion:"])
    assert shown == ["Yes.", "", "", "", ""]
    assert (rest, stopped) == ("", True)


def test_a_beginning_that_comes_to_nothing_is_shown_later() -> None:
    assert filtered(["a<", "/", "b"], ["</s>"]) == (["a", "", "</b"], "", False)


def test_what_is_still_held_at_the_end_is_shown() -> None:
    assert filtered(["a<"], ["</s>"]) == (["a"], "<", False)


def test_the_earliest_of_several_stop_strings_wins() -> None:
    assert filtered(["one STOP two END"], ["END", "STOP"]) == (["one "], "", True)


def test_nothing_is_shown_after_the_stop() -> None:
    assert filtered(["a|b", "c", "d"], ["|"]) == (["a", "", ""], "", True)


def test_a_stop_string_that_repeats_itself_is_found() -> None:
    assert filtered(["a", "a", "b"], ["aab"]) == (["", "", ""], "", True)
    assert filtered(["a", "a", "a", "b"], ["aab"]) == (["", "", "a", ""], "", True)


def test_empty_stop_strings_are_ignored() -> None:
    assert filtered(["a", "b"], ["", ""]) == (["a", "b"], "", False)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.text("ab|", max_size=4), max_size=8), st.lists(st.text("ab|", min_size=1, max_size=4), max_size=3))
def test_however_the_text_is_cut_the_same_is_shown(chunks: list[str], stop: list[str]) -> None:
    text = "".join(chunks)
    cuts = [position for position in map(text.find, stop) if position >= 0]
    shown, rest, stopped = filtered(chunks, stop)
    assert stopped == bool(cuts)
    if not any(one != other and one in other for one in stop for other in stop):
        assert "".join(shown) + rest == text[: min(cuts, default=len(text))]


@pytest.mark.parametrize("cut", ["é|", "|é"])
def test_stop_strings_may_hold_characters_of_several_bytes(cut: str) -> None:
    stream = TextStream(decode_bytes, [cut])
    shown = "".join(stream.push(byte) for byte in f"ab{cut}cd".encode())
    assert (shown + stream.close(), stream.stopped) == ("ab", True)
