from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core import SimpleDirectoryReader
from llama_index.core.schema import Document as LlamaDocument
from llama_index.core.schema import MetadataMode, TextNode

from indexes import llama
from indexes.errors import InputError
from indexes.passage import Document, Mark, Passage
from indexes.readers.files import READERS

WORDS = st.text(st.characters(codec="utf-8"), max_size=30)
NAMES = st.one_of(
    st.sampled_from(["title", "key", "marks", "whole", "place", "metadata.", "metadata.title", "url"]), WORDS
)
METADATA = st.dictionaries(NAMES, WORDS, max_size=4)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    starts = sorted(draw(st.lists(st.integers(0, 100), max_size=3)))
    return Document(
        **{name: draw(WORDS) for name in ("text", "title", "source", "key", "date")},
        marks=tuple(Mark(start, draw(WORDS)) for start in starts),
        whole=draw(st.booleans()),
        metadata=draw(METADATA),
    )


@given(documents())
@settings(deadline=None)
def test_a_document_comes_back_as_it_went(document: Document) -> None:
    theirs = llama.to_document(document)
    assert llama.from_document(theirs) == document
    assert theirs.id_ == document.id
    assert theirs.text_resource is not None
    assert theirs.text_resource.text == document.text
    assert llama.from_document(LlamaDocument.from_json(theirs.to_json())) == document


@given(documents(), st.integers(0, 10), st.integers(0, 40))
@settings(deadline=None)
def test_a_passage_comes_back_as_it_went(document: Document, start: int, end: int) -> None:
    passage = Passage.of(document, start, end)
    node = llama.to_node(passage)
    assert llama.from_node(node) == passage
    assert (node.node_id, node.ref_doc_id) == (passage.id, passage.document_id)
    assert (node.start_char_idx, node.end_char_idx) == (start, end)
    assert llama.from_node(TextNode.from_json(node.to_json())) == passage


def test_a_node_has_its_names_at_the_top_and_ours_win() -> None:
    document = Document(text="Some text.", title="T", key="7", metadata={"speaker": "Ada", "title": "Dr."})
    node = llama.to_node(Passage.of(document, 0, 10))
    assert node.metadata == {"title": "T", "key": "7", "speaker": "Ada", "metadata.title": "Dr."}
    assert "key" not in node.get_content(metadata_mode=MetadataMode.EMBED)
    assert "title: T" in node.get_content(metadata_mode=MetadataMode.EMBED)


def test_what_another_program_made_is_taken_as_far_as_it_goes() -> None:
    node = TextNode(id_="n1", text="Some text.", metadata={"page_label": 3})
    passage = llama.from_node(node)
    assert (passage.id, passage.document_id, passage.start, passage.end) == ("n1", "", 0, 10)
    assert passage.metadata == {"page_label": "3"}
    theirs = LlamaDocument(text="Some text.", metadata={"file_name": "a.epub", "file_path": "books/a.epub"})
    document = llama.from_document(theirs)
    assert (document.title, document.source, document.text) == ("a.epub", "books/a.epub", "Some text.")


def test_our_readers_serve_a_directory_reader(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Title\n\nText.\n\n## Two\n\nMore.\n")
    (tmp_path / "b.html").write_text("<title>Page</title><nav>Menu</nav><p>Words.</p>")
    (tmp_path / "c.jsonl").write_text("".join(json.dumps({"_id": n, "text": f"Row {n}."}) + "\n" for n in range(2)))
    loaded = SimpleDirectoryReader(str(tmp_path), file_extractor=llama.readers()).load_data()
    assert [document.text for document in loaded] == [(tmp_path / "a.md").read_text(), "Words.", "Row 0.", "Row 1."]
    assert loaded[0].metadata["file_name"] == "a.md"
    ours = llama.from_document(loaded[0])
    assert ours.title == "Title"
    assert [mark.label for mark in ours.marks] == ["", "Two"]
    assert llama.from_document(loaded[3]).key == "1"


def test_there_is_a_reader_for_every_suffix_and_it_raises_what_it_cannot_read(tmp_path: Path) -> None:
    assert set(llama.readers()) == set(READERS)
    (tmp_path / "a.pdf").write_bytes(b"no PDF")
    with pytest.raises(InputError, match=r"a\.pdf is damaged"):
        llama.readers()[".pdf"].load_data(tmp_path / "a.pdf")
