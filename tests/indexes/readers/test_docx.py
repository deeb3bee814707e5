from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest

from indexes.passage import Document, Mark
from indexes.readers import docx as reader
from indexes.readers.problem import Problem

One = Callable[[Path], Document]
Reading = Callable[[Path], tuple[list[Document], list[Problem]]]


def handbook(path: Path, *, title: str = "") -> Path:
    word = docx.Document()
    word.core_properties.title = title
    word.add_paragraph("Before everything.")
    word.add_heading("Travel", level=1)
    word.add_paragraph("Go second class.")
    word.add_heading("Rates", level=2)
    table = word.add_table(rows=3, cols=3)
    for row, cells in enumerate([["City", "Hotel", "Meals"], ["Rome", "90", "40"], ["all others", "", ""]]):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    table.cell(2, 0).merge(table.cell(2, 1))
    table.cell(2, 2).text = "two\nlines"
    word.add_paragraph("")
    word.add_paragraph("After the table.")
    word.save(str(path))
    return path


def test_paragraphs_and_tables_come_in_reading_order(tmp_path: Path, one: One) -> None:
    document = one(handbook(tmp_path / "file-stem.docx"))
    assert document.text.split("\n\n") == [
        "Before everything.",
        "Travel",
        "Go second class.",
        "Rates",
        "City | Hotel | Meals\nRome | 90 | 40\nall others | two lines",
        "After the table.",
    ]


def test_headings_are_marks(tmp_path: Path, one: One) -> None:
    document = one(handbook(tmp_path / "file-stem.docx", title="Handbook"))
    assert document.marks == (
        Mark(document.text.index("Travel"), "Travel"),
        Mark(document.text.index("Rates"), "Travel › Rates"),
    )


def test_the_title_is_of_the_title_paragraph_the_properties_or_the_first_heading(tmp_path: Path, one: One) -> None:
    assert one(handbook(tmp_path / "a.docx", title="Handbook")).title == "Handbook"
    assert one(handbook(tmp_path / "b.docx")).title == "Travel"
    word = docx.Document()
    word.add_heading("The title", level=0)
    word.add_paragraph("Text.")
    word.core_properties.title = "Of the properties"
    word.save(str(tmp_path / "c.docx"))
    assert one(tmp_path / "c.docx").title == "The title"
    word = docx.Document()
    word.add_paragraph("Text.")
    word.save(str(tmp_path / "file-stem.docx"))
    assert one(tmp_path / "file-stem.docx").title == "file-stem"


def test_a_table_in_a_cell_is_read_in_the_cell(tmp_path: Path, one: One) -> None:
    word = docx.Document()
    cell = word.add_table(rows=1, cols=1).cell(0, 0)
    cell.text = "outer"
    inner = cell.add_table(rows=1, cols=2)
    inner.cell(0, 0).text, inner.cell(0, 1).text = "a", "b"
    word.save(str(tmp_path / "a.docx"))
    assert one(tmp_path / "a.docx").text == "outer a | b"


def test_five_scripts(tmp_path: Path, one: One, script: str) -> None:
    word = docx.Document()
    word.add_heading(script, level=1)
    word.add_heading(script, level=2)
    word.add_paragraph(script)
    word.save(str(tmp_path / "a.docx"))
    document = one(tmp_path / "a.docx")
    assert document.title == script
    assert document.text == f"{script}\n\n{script}\n\n{script}"
    assert document.marks == (Mark(0, script),)


def bomb(path: Path, megabytes: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(megabytes):
            part.write(b" " * 1_000_000)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb(tmp_path / "bomb.docx", 20)
    monkeypatch.setattr(docx, "Document", lambda _: pytest.fail("it was opened"))
    problems: list[Problem] = []
    assert list(reader.read_docx(tmp_path / "bomb.docx", problems.append)) == []
    assert "would unpack to 20 MB from 0.0 MB" in problems[0].reason


def test_a_file_that_unpacks_to_too_much_is_refused_whatever_its_ratio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "LARGEST", 1000)
    problems: list[Problem] = []
    assert list(reader.read_docx(handbook(tmp_path / "a.docx"), problems.append)) == []
    assert "would unpack to" in problems[0].reason


def test_a_password_or_an_old_format_is_named(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "a.docx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600))
    documents, problems = reading(tmp_path)
    assert not documents
    assert problems[0].reason == "is an old .doc or has a password"


def test_entities_that_multiply_are_not_expanded(tmp_path: Path, reading: Reading) -> None:
    handbook(tmp_path / "good.docx")
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(12))
    with zipfile.ZipFile(tmp_path / "good.docx") as good, zipfile.ZipFile(tmp_path / "laughs.docx", "w") as bad:
        for name in good.namelist():
            data = good.read(name)
            if name == "word/document.xml":
                data = data.replace(b"<w:document", f"<!DOCTYPE d [{entities}]><w:document".encode(), 1)
                data = data.replace(b"Before everything", b"&e11;")
            bad.writestr(name, data)
    (tmp_path / "good.docx").unlink()
    documents, problems = reading(tmp_path)
    assert all(len(document.text) < 1000 for document in documents)
    assert documents or problems


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_a_file_that_is_not_a_docx_is_reported(tmp_path: Path, reading: Reading, data: bytes) -> None:
    (tmp_path / "a.docx").write_bytes(data)
    documents, problems = reading(tmp_path)
    assert not documents
    assert "DOCX" in problems[0].reason or "Word" in problems[0].reason


def test_another_office_format_under_this_name_is_reported(tmp_path: Path, reading: Reading) -> None:
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", "<office/>")
    documents, problems = reading(tmp_path)
    assert not documents
    assert "is not a Word document" in problems[0].reason


def test_any_damage_gives_text_or_a_problem(tmp_path: Path, reading: Reading) -> None:
    rng = random.Random(7)
    with zipfile.ZipFile(handbook(tmp_path / "a.docx")) as archive:
        good = {name: archive.read(name) for name in archive.namelist()}
    outcomes = set()
    for turn in range(120):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if turn % 2 else zipfile.ZIP_STORED) as archive:
            spoiled = rng.choice([*good, ""])
            for name, data in good.items():
                changed = bytearray(data)
                if name == spoiled:
                    changed[rng.randrange(len(data))] = rng.randrange(256)
                archive.writestr(name, bytes(changed))
        packed = bytearray(buffer.getvalue())
        for _ in range(rng.choice([0, 1, 10])):
            packed[rng.randrange(len(packed))] = rng.randrange(256)
        (tmp_path / "a.docx").write_bytes(packed)
        documents, problems = reading(tmp_path)
        assert documents or problems
        outcomes.add((bool(documents), bool(problems)))
    assert {(True, False), (False, True)} <= outcomes
