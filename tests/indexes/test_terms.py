from __future__ import annotations

import pytest

from indexes.terms import terms, words


def test_terms_are_those_of_the_content_words() -> None:
    assert terms("The apples of the orchard") == terms("orchard apple")
    assert terms("the of and") == frozenset()
    assert len(terms("apple pear plum")) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What does json.dumps do?", ["json.dumps"]),
        ("The war-time economy, the economy", ["war-time", "economy"]),
        ("Peru's capital", ["Peru's", "capital"]),
        ("the of and", []),
        ("", []),
    ],
)
def test_words_stay_whole_and_come_once_in_order(text: str, expected: list[str]) -> None:
    assert words(text) == expected
