from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.passage import Document, Mark, Passage, content_id

TEXT = st.text(max_size=30)
DOCUMENT = Document(
    "One. Two. Three.",
    title="Handbook",
    source="a/handbook.md",
    key="7",
    date="2024-03-07",
    marks=(Mark(0, ""), Mark(5, "Travel"), Mark(10, "Travel › Rail")),
    metadata={"speaker": "Ada"},
)


def test_a_document_read_from_two_places_has_one_id() -> None:
    assert DOCUMENT.id == replace(DOCUMENT, source="elsewhere/copy.md").id
    assert UUID(DOCUMENT.id).version == 5


@pytest.mark.parametrize(
    "other",
    [
        replace(DOCUMENT, text="One. Two. Four."),
        replace(DOCUMENT, title="Manual"),
        replace(DOCUMENT, key="8"),
        replace(DOCUMENT, date="2024-03-08"),
        replace(DOCUMENT, metadata={"speaker": "Grace"}),
        replace(DOCUMENT, metadata={}),
    ],
)
def test_whatever_is_content_sets_documents_apart(other: Document) -> None:
    assert other.id != DOCUMENT.id


def test_the_order_of_metadata_is_no_content() -> None:
    there, back = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert Document("Text.", metadata=there).id == Document("Text.", metadata=back).id


@pytest.mark.parametrize(
    ("offset", "place"), [(0, ""), (4, ""), (5, "Travel"), (9, "Travel"), (10, "Travel › Rail"), (99, "Travel › Rail")]
)
def test_the_place_is_the_last_mark_at_or_before(offset: int, place: str) -> None:
    assert DOCUMENT.place(offset) == place


def test_a_document_without_marks_has_no_places() -> None:
    assert Document("Text.").place(3) == ""


def test_a_passage_holds_what_its_document_says() -> None:
    passage = Passage.of(DOCUMENT, 5, 9)
    assert passage.text == "Two."
    assert (passage.start, passage.end, passage.place) == (5, 9, "Travel")
    assert (passage.document_id, passage.title, passage.source) == (DOCUMENT.id, "Handbook", "a/handbook.md")
    assert (passage.key, passage.date, passage.metadata) == ("7", "2024-03-07", {"speaker": "Ada"})


def test_equal_texts_at_two_offsets_are_two_passages() -> None:
    document = Document("Yes. Yes.")
    first, second = Passage.of(document, 0, 4), Passage.of(document, 5, 9)
    assert first.text == second.text
    assert first.id != second.id
    assert first.id == Passage.of(replace(document, source="copy.txt"), 0, 4).id


@pytest.mark.parametrize(
    ("title", "place", "heading", "searchable"),
    [
        ("Handbook", "Travel", "Handbook › Travel", "Handbook › Travel\nBody."),
        ("Handbook", "", "Handbook", "Handbook\nBody."),
        ("", "Travel", "Travel", "Travel\nBody."),
        ("", "", "", "Body."),
    ],
)
def test_encoders_see_heading_and_body(title: str, place: str, heading: str, searchable: str) -> None:
    passage = Passage("1", "2", "Body.", title=title, place=place)
    assert (passage.heading, passage.searchable) == (heading, searchable)


@given(st.builds(Passage, *[TEXT] * 6, st.integers(), st.integers(), TEXT, TEXT, st.dictionaries(TEXT, TEXT)))
@settings(max_examples=50, deadline=None)
def test_a_passage_survives_json(passage: Passage) -> None:
    assert Passage.from_dict(json.loads(json.dumps(passage.to_dict()))) == passage


def test_content_ids_keep_their_parts_apart() -> None:
    assert content_id("ab", "c") != content_id("a", "bc")
    assert content_id("ab") != content_id("ab", "")
    assert content_id("ab", "c") == content_id("ab", "c")
