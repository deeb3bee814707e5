from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from generators.citations.pairs import EMBEDDING, LEXICAL, embedding_features, lexical_features
from indexes.passage import Document, Passage
from tests.fakes import WordEncoder


def passage(title: str, text: str) -> Passage:
    return Passage.of(Document(text, title=title, whole=True), 0, len(text))


AUTHOR = passage("Ada Quill", "Ada Quill is a novelist. She was born in Trieste.")
NOVEL = passage("The Red Lantern", "The Red Lantern is a novel by Ada Quill. It was printed in 1954.")
OTHER = passage("Trieste Station", "The station serves many trains to Vienna.")
QUESTION = "Where was the author of The Red Lantern born?"


def column(claim: str, name: str, passages: Sequence[Passage] = (AUTHOR, NOVEL, OTHER)) -> list[float]:
    return [float(value) for value in lexical_features(claim, QUESTION, passages)[:, LEXICAL.index(name)]]


def test_what_the_claim_adds_to_its_question_is_found_in_the_passage_that_says_it() -> None:
    novel = column("The author was born in Trieste.", "novel")
    assert novel[0] == 1.0
    assert novel[1] == 0.0


def test_a_title_that_stands_in_the_question_counts_only_for_its_own_passage() -> None:
    title = column("Trieste.", "title")
    assert title[1] > 0
    assert title[0] == title[2] == 0.0


def test_passages_of_which_one_names_the_other_are_linked() -> None:
    claim = "Ada Quill was born in Trieste."
    anchor, link = column(claim, "anchor"), column(claim, "link")
    assert sum(anchor) == 1.0
    linked = {0, 1} - {anchor.index(1.0)}
    assert [link[i] for i in linked] == [1.0]
    assert link[2] == 0.0


def test_a_copy_of_the_anchor_gains_nothing_and_is_not_linked() -> None:
    copies = (AUTHOR, AUTHOR)
    claim = "Ada Quill was born in Trieste."
    assert column(claim, "gain", copies) == [0.0, 0.0]
    assert column(claim, "link", copies) == [0.0, 0.0]


def test_numbers_of_the_claim_are_looked_for() -> None:
    assert column("It was printed in 1954.", "numbers") == [0.0, 1.0, 0.0]
    assert column("It was printed.", "numbers") == [0.0, 0.0, 0.0]


def test_words_that_all_passages_share_weigh_less() -> None:
    common = [passage("", "amber and cobalt"), passage("", "amber and slate"), passage("", "amber and rust")]
    rows = lexical_features("amber cobalt", "", common)[:, LEXICAL.index("claim")]
    assert rows[1] < 0.5 < rows[0]


@given(st.text(max_size=40), st.text(max_size=40), st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=4))
def test_features_are_numbers_from_0_to_1(claim: str, question: str, texts: list[str]) -> None:
    rows = lexical_features(claim, question, [passage("", text) for text in texts])
    assert rows.shape == (len(texts), len(LEXICAL))
    assert (rows >= 0).all()
    assert (rows <= 1 + 1e-6).all()


def test_the_nearest_passage_has_no_lag() -> None:
    claims = ["Ada Quill was born in Trieste.", "It was printed in 1954."]
    encoder = WordEncoder()
    found = embedding_features(claims, QUESTION, [AUTHOR, NOVEL, OTHER], encoder.encode_passages)
    assert [matrix.shape for matrix in found] == [(3, len(EMBEDDING))] * 2
    for matrix in found:
        assert matrix[:, 1].min() == 0.0
        assert np.argmin(matrix[:, 1]) == np.argmax(matrix[:, 0])
        np.testing.assert_allclose(matrix[:, 0] + matrix[:, 1], matrix[:, 0].max(), atol=1e-6)


def test_sentences_of_a_passage_are_looked_at_one_by_one() -> None:
    mixed = passage("", "Trains go to Vienna and back each morning. Ada Quill born Trieste.")
    matrix = embedding_features(["Ada Quill born Trieste."], "", [mixed], WordEncoder().encode_passages)[0]
    assert matrix[0, EMBEDDING.index("sentence cosine")] > matrix[0, EMBEDDING.index("cosine")]
