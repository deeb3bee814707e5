from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from indexes.passage import Document
from indexes.readers.jsonl import is_beir
from indexes.readers.problem import Problem

One = Callable[[Path], Document]
Reading = Callable[[Path], tuple[list[Document], list[Problem]]]


def write(tmp_path: Path, *rows: object, name: str = "rows.jsonl") -> Path:
    path = tmp_path / name
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_a_row_becomes_a_whole_document(tmp_path: Path, one: One) -> None:
    row = {"id": 7, "title": "T", "text": "Some text.", "date": "2024-03-07", "source": "https://example.org/7"}
    document = one(write(tmp_path, row))
    assert (document.key, document.title, document.text, document.whole) == ("7", "T", "Some text.", True)
    assert (document.date, document.source) == ("2024-03-07", "https://example.org/7")


def test_the_source_of_a_row_is_its_file_where_it_names_none(tmp_path: Path, one: One) -> None:
    path = write(tmp_path, {"text": "Some text."})
    assert one(path).source == str(path)


def test_rows_with_equal_text_and_different_ids_stay_apart(tmp_path: Path, reading: Reading) -> None:
    documents, _ = reading(write(tmp_path, {"_id": "0", "text": "Same."}, {"_id": "1", "text": "Same."}))
    assert documents[0].key == "0"
    assert documents[0].id != documents[1].id


def test_plain_metadata_is_kept_as_text(tmp_path: Path, one: One) -> None:
    metadata = {"url": "https://example.org", "year": 2024, "list": [1], "none": None}
    document = one(write(tmp_path, {"text": "Some text.", "metadata": metadata, "date": "spring 2024"}))
    assert dict(document.metadata) == {"url": "https://example.org", "year": "2024", "date": "spring 2024"}
    assert document.date == ""


def test_a_row_that_has_only_a_title_is_its_title(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, {"_id": "a", "title": "T", "text": ""}, {"_id": "b", "title": "U"}))
    assert [(document.text, document.title) for document in documents] == [("T", ""), ("U", "")]
    assert not problems


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"{not json", "line 2: is not JSON"),
        (b'{"text": "caf\xe9"}', "line 2: is not valid UTF-8 (byte 0xe9"),
        (b"[" * 100_000, "line 2: is not JSON"),
        (["a", "list"], "line 2: is a JSON list, not an object"),
        ({"_id": "x"}, "line 2: has no `text`"),
        ({"text": 12}, "line 2: has a `text` that is int"),
        ({"text": "  "}, "line 2: has no words"),
        ({"text": "zero \x00 byte"}, "line 2: has a NUL character at offset 5"),
        (b'{"text": "half \\ud83d"}', "line 2: has half a surrogate pair at offset 5"),
        (b'{"text": "fine", "title": "half \\ud83d"}', "line 2: has half a surrogate pair"),
    ],
)
def test_a_bad_row_is_reported_with_its_line_and_the_others_go_on(
    tmp_path: Path, reading: Reading, row: object, reason: str
) -> None:
    documents, problems = reading(write(tmp_path, {"text": "First."}, row, b"", {"text": "Last."}))
    assert [document.text for document in documents] == ["First.", "Last."]
    assert len(problems) == 1
    assert problems[0].reason.startswith(reason)


def test_a_whole_surrogate_pair_is_a_character(tmp_path: Path, one: One) -> None:
    assert one(write(tmp_path, b'{"text": "smile \\ud83d\\ude00"}')).text == "smile 😀"


def test_many_bad_rows_are_counted_after_the_tenth(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, *[b"id,text"] * 500))
    assert not documents
    assert len(problems) == 11
    assert "has 490 more lines" in problems[-1].reason


def test_a_byte_order_mark_at_the_top_is_no_error(tmp_path: Path, one: One) -> None:
    assert one(write(tmp_path, b'\xef\xbb\xbf{"text": "Some text."}')).text == "Some text."


def test_a_folder_is_a_beir_folder_where_it_has_a_corpus(tmp_path: Path) -> None:
    assert not is_beir(tmp_path)
    write(tmp_path, {"text": "Some text."}, name="corpus.jsonl")
    assert is_beir(tmp_path)


def test_five_scripts(tmp_path: Path, one: One, script: str) -> None:
    assert one(write(tmp_path, {"text": script})).text == script
