from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.lexical import Bm25, Bm25Settings, average_length

BM25 = Bm25(Bm25Settings(average_length=4.0))


def test_a_question_weighs_each_distinct_term_once() -> None:
    once, twice = BM25.question("red apple"), BM25.question("apple red apple")
    assert len(once.indices) == 2
    assert set(once.indices) == set(twice.indices)
    assert set(twice.values) == {1.0}


@pytest.mark.parametrize(
    ("one", "other"), [("apples", "apple"), ("Running", "runs"), ("CAFÉ", "cafe"), ("naïve", "naive")]
)
def test_forms_of_a_word_are_one_term(one: str, other: str) -> None:
    assert BM25.question(one).indices == BM25.question(other).indices
    assert len(BM25.question(one).indices) == 1


@pytest.mark.parametrize("text", ["", "the of and is", "?!…", "   "])
def test_a_text_without_content_words_has_no_terms(text: str) -> None:
    assert BM25.question(text).indices == ()
    assert BM25.passage(text).indices == ()


@pytest.mark.parametrize(("count", "length"), [(1, 4), (2, 4), (3, 8), (4, 4)])
def test_passage_weights_saturate_and_are_normalised_by_length(count: int, length: int) -> None:
    text = " ".join(["apple"] * count + [f"word{n}" for n in range(length - count)])
    vector = BM25.passage(text)
    (term,) = BM25.question("apple").indices
    k1, b = BM25.settings.k1, BM25.settings.b
    expected = count * (k1 + 1) / (count + k1 * (1 - b + b * length / BM25.settings.average_length))
    assert dict(zip(vector.indices, vector.values, strict=True))[term] == pytest.approx(expected, rel=1e-5)


def test_without_length_normalisation_the_length_is_no_matter() -> None:
    flat = Bm25(Bm25Settings(average_length=4.0, b=0.0))
    assert set(flat.passage("apple pear").values) == set(flat.passage("apple pear plum cherry quince fig").values)


def test_another_language_has_other_stop_words() -> None:
    german = Bm25(Bm25Settings(average_length=4.0, language="german"))
    assert german.question("und der Apfel").indices == german.question("Apfel").indices
    assert len(BM25.question("und der Apfel").indices) == 3


@given(st.text(max_size=80))
@settings(max_examples=50, deadline=None)
def test_a_question_knows_every_term_of_the_same_passage(text: str) -> None:
    passage = BM25.passage(text)
    assert set(passage.indices) == set(BM25.question(text).indices)
    assert len(set(passage.indices)) == len(passage.indices) == len(passage.values)
    assert all(value > 0 for value in passage.values)


@pytest.mark.parametrize(
    ("texts", "length"), [([], 1.0), ([""], 1.0), (["one"], 1.0), (["one two", "one two three four"], 3.0)]
)
def test_the_average_length_is_in_words_and_never_below_one(texts: list[str], length: float) -> None:
    assert average_length(texts) == length
