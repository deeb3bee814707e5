from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from indexes.base_vectors import BaseVectors
from indexes.catalogue import DocumentCard
from indexes.manifest import Manifest
from indexes.passage import Document, Passage
from indexes.slice import Slice
from indexes.store.open import MEMORY, opener
from tests.fakes import DIMENSION, WordEncoder

APPLES = Document(
    "Apples ripen. Apples fall. Apples rot.", "apples", "fruit/apples.md", date="2024", metadata={"a": "b"}
)
PEARS = Document("Pears ripen late.", "Pears", "fruit/pears.md", "p1")
ZEBRAS = Document("Zebras run.", "Zebras", "beasts.md")


def passages(*documents: Document) -> list[Passage]:
    """One passage a sentence."""
    found = []
    for document in documents:
        start = 0
        for sentence in document.text.split(". "):
            end = start + len(sentence)
            found.append(Passage.of(document, start, end))
            start = end + 2
    return found


@pytest.fixture(params=["", MEMORY], ids=["edge", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, encoder: WordEncoder) -> Slice:
    every = passages(ZEBRAS, APPLES, PEARS)
    made = Slice.create(tmp_path / "s", "shelf", "Things.", encoder, opener(request.param), every)
    made.add(every, encoder)
    return made


def test_documents_are_listed_by_title_whatever_its_case_with_how_many_passages_they_have(shelf: Slice) -> None:
    assert shelf.documents() == (
        DocumentCard(APPLES.id, "apples", "fruit/apples.md", "", "2024", 3),
        DocumentCard(PEARS.id, "Pears", "fruit/pears.md", "p1", "", 1),
        DocumentCard(ZEBRAS.id, "Zebras", "beasts.md", "", "", 1),
    )


def test_the_list_is_read_once_and_again_after_a_change(shelf: Slice, encoder: WordEncoder) -> None:
    assert shelf.documents() is shelf.documents()
    new = Document("Figs are sweet.", "Figs")
    shelf.add(passages(new), encoder)
    assert new.id in {card.id for card in shelf.documents()}


def test_a_document_comes_back_in_order_with_all_that_its_passages_hold(shelf: Slice) -> None:
    assert shelf.document(APPLES.id) == passages(APPLES)
    assert shelf.document("no such document") == []


def test_what_was_removed_is_gone_and_the_rest_stays(shelf: Slice) -> None:
    assert shelf.remove([APPLES.id, "no such document", APPLES.id]) == 1
    assert [card.title for card in shelf.documents()] == ["Pears", "Zebras"]
    assert shelf.document(APPLES.id) == []
    assert shelf.store.count() == shelf.manifest.passages == Manifest.read(shelf.folder).passages == 2
    assert shelf.remove([APPLES.id]) == 0


def test_adding_says_how_many_documents_were_new(shelf: Slice, encoder: WordEncoder) -> None:
    new = Document("Figs are sweet. Figs are soft.", "Figs")
    added = shelf.add(passages(APPLES, new), encoder)
    assert (added.passages, added.embedded, added.documents) == (5, 2, 1)


def test_the_encoders_vectors_of_what_was_removed_are_forgotten_too(shelf: Slice, encoder: WordEncoder) -> None:
    base = BaseVectors(shelf.folder, DIMENSION)
    ids = [passage.id for passage in passages(APPLES, PEARS)]
    base.append(ids, encoder.encode_passages([passage.text for passage in passages(APPLES, PEARS)]))
    shelf.remove([APPLES.id])
    kept = [i for part, _ in base.batches(10) for i in part]
    assert kept == [passages(PEARS)[0].id]


def test_a_card_says_what_is_looked_for_in_title_source_key_or_id() -> None:
    card = DocumentCard("id-1", "Äpfel", "fruit/apples.md", "K7")
    assert all(card.says(like) for like in ("ÄPF", "FRUIT/", "k7", "id-1", " pfel "))
    assert not card.says("pears")
    assert not replace(card, title="").says("äpfel")
