from __future__ import annotations

import numpy as np
import pytest

from indexes.passage import Document, Passage
from indexes.store.base import Point, SparseVector
from indexes.sync.duplicates import Duplicates, duplicates, shingles
from tests.indexes.sync.conftest import DictStore, Fuse

LONG = (
    "The committee met on the first Monday of each month in the old town hall and read aloud the minutes of the meeting "
    "before, which were then signed by the chair, the treasurer and whoever had written them down in the heavy green book."
)
CHANGED = LONG.replace("green", "red")
OTHER = (
    "Neptune was found by calculation before it was seen through a telescope, and has fourteen moons that are known."
)


def found(*passages: Passage, least: float = 0.8) -> Duplicates:
    store = DictStore(Fuse())
    for passage in passages:
        payload = passage.to_dict()
        store.points[payload.pop("id")] = Point(passage.id, np.ones(2, np.float32), SparseVector((), ()), payload)
    return duplicates(store, least=least)  # type: ignore[arg-type]


def passage(text: str, key: str, title: str = "") -> Passage:
    return Passage.of(Document(text, title, key=key, whole=True), 0, len(text))


def test_texts_that_several_documents_have_are_found_with_their_places() -> None:
    one, two, three = passage(LONG, "1"), passage(LONG, "2"), passage(OTHER, "3")
    report = found(one, two, three)
    (same,) = report.exact
    assert (report.passages, report.near, same.text) == (3, (), LONG)
    assert {place.document for place in same.places} == {one.document_id, two.document_id}


def test_a_text_that_one_document_repeats_is_no_duplicate() -> None:
    document = Document(f"{OTHER} {OTHER}", key="1")
    at = len(OTHER)
    assert found(Passage.of(document, 0, at), Passage.of(document, at + 1, 2 * at + 1)).exact == ()


def test_texts_with_other_headings_are_near_duplicates_since_they_are_embedded_apart() -> None:
    report = found(passage(LONG, "1", "Minutes"), passage(LONG, "2", "Records"))
    assert (report.exact, [pair.resemblance for pair in report.near]) == ((), [1.0])


def test_near_duplicates_come_with_their_exact_resemblance() -> None:
    one, two = passage(LONG, "1"), passage(CHANGED, "2")
    (pair,) = found(one, passage(OTHER, "3"), two).near
    first, second = set(shingles(LONG).tolist()), set(shingles(CHANGED).tolist())
    assert pair.resemblance == pytest.approx(len(first & second) / len(first | second))
    assert {pair.first.passage, pair.second.passage} == {one.id, two.id}
    assert found(one, two, least=0.99).near == ()


def test_almost_no_pair_that_resembles_is_missed() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"word{n}" for n in range(3000)])
    originals = [list(words[rng.integers(0, 3000, 60)]) for _ in range(150)]
    passages = []
    for number, original in enumerate(originals):
        copy = list(original)
        copy[30] = "changed"  # 4 of 57 shingles
        passages += [passage(" ".join(original), f"{number}"), passage(" ".join(copy), f"{number}'")]
    report = found(*passages)
    assert len(report.near) == 150
    assert all(pair.resemblance == pytest.approx(53 / 61) for pair in report.near)


@pytest.mark.parametrize(
    ("text", "count"), [("a b c d e", 2), ("a b", 1), ("东京是日本的首都", 5), ("A b C d", 1), ("", 1)]
)
def test_shingles_are_four_words_or_ideographs_in_a_row(text: str, count: int) -> None:
    assert len(shingles(text)) == count
    assert shingles(text).tolist() == shingles(text.lower()).tolist()
