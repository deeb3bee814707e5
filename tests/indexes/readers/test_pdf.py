from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.errors import DependencyError

from indexes.passage import Document, Mark
from indexes.readers.pdf import read_pdf
from indexes.readers.problem import Problem

One = Callable[[Path], Document]
Reading = Callable[[Path], tuple[list[Document], list[Problem]]]


def pdf(pages: Sequence[str], *, title: str = "") -> bytes:
    """A PDF with one line of text for each line of each page; a table maps its codes to any characters."""
    codes = {character: number for number, character in enumerate(sorted(set("".join(pages)) - {"\n"}), start=33)}
    pairs = "\n".join(f"<{code:02x}> <{char.encode('utf-16-be').hex()}>" for char, code in codes.items())
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{pairs}\nendbfchar\nendcmap end end"
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(f'{6 + 2 * n} 0 R' for n in range(len(pages)))}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>",
        f"<< /Length {len(table)} >>\nstream\n{table}\nendstream",
        f"<< /Title <feff{title.encode('utf-16-be').hex()}> >>",
    ]
    for number, page in enumerate(pages):
        lines = (f"<{''.join(f'{codes[char]:02x}' for char in line)}> Tj T*" for line in page.split("\n"))
        stream = f"BT /F1 12 Tf 14 TL 72 720 Td {' '.join(lines)} ET"
        resources = "/Resources << /Font << /F1 3 0 R >> >> /MediaBox [0 0 612 792]"
        objects.append(f"<< /Type /Page /Parent 2 0 R {resources} /Contents {7 + 2 * number} 0 R >>")
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table_at = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    data += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    return (
        data + f"trailer << /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{table_at}\n%%EOF".encode()
    )


def write(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "file-stem.pdf"
    path.write_bytes(data)
    return path


def test_pages_are_joined_in_one_document_with_a_mark_each(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, pdf(["First page.\nSecond line.", "Second page."], title="The report")))
    assert document.text == "First page.\nSecond line.\n\nSecond page."
    assert document.title == "The report"
    assert document.marks == (Mark(0, "p. 1"), Mark(26, "p. 2"))
    assert document.place(document.text.index("Second page")) == "p. 2"


def test_an_empty_page_keeps_its_number(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, pdf(["One.", "", "Three."])))
    assert [mark.label for mark in document.marks] == ["p. 1", "p. 3"]


def test_a_sentence_that_runs_over_the_page_belongs_to_the_page_it_begins_on(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, pdf(["The rate is one hundred", "and twenty euros. The next."])))
    assert document.text == "The rate is one hundred\nand twenty euros. The next."
    assert document.place(document.text.index("twenty")) == "p. 1"
    assert document.place(document.text.index("The next")) == "p. 2"


@pytest.mark.parametrize(
    "pages", [["Ends here.", "and so on."], ["No full stop", "New page."], ["Page 12", "lower case"]]
)
def test_a_page_that_does_not_go_on_begins_its_own_place(tmp_path: Path, one: One, pages: list[str]) -> None:
    document = one(write(tmp_path, pdf(pages)))
    assert document.marks[1] == Mark(document.text.index(pages[1]), "p. 2")


@pytest.mark.parametrize("title", ["", "Microsoft Word - draft3", "untitled", "report.docx", "paper.dvi"])
def test_a_title_that_is_a_file_name_is_not_a_title(tmp_path: Path, one: One, title: str) -> None:
    assert one(write(tmp_path, pdf(["Text."], title=title))).title == "file-stem"


def test_five_scripts(tmp_path: Path, one: One, script: str) -> None:
    document = one(write(tmp_path, pdf([script], title=script)))
    assert sorted(document.text.replace(" ", "")) == sorted(
        script.replace(" ", "")
    )  # order of Arabic is the PDF's affair
    assert document.title == script


def test_an_encrypted_file_is_reported(tmp_path: Path, reading: Reading) -> None:
    writer = PdfWriter(clone_from=PdfReader(write(tmp_path, pdf(["Secret."]))))
    writer.encrypt("password", algorithm="RC4-128")
    writer.write(tmp_path / "file-stem.pdf")
    documents, problems = reading(tmp_path)
    assert not documents
    assert problems[0].reason == "is encrypted"
    assert "qpdf --decrypt" in problems[0].fix


def test_an_encryption_that_needs_another_library_is_reported_as_encryption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> PdfReader:
        raise DependencyError("cryptography>=3.1 is required for AES algorithm")

    monkeypatch.setattr("indexes.readers.pdf._open", refuse)
    problems: list[Problem] = []
    assert list(read_pdf(write(tmp_path, pdf(["Secret."])), problems.append)) == []
    assert problems[0].reason == "is encrypted"


def test_a_filter_that_pypdf_gave_up_is_damage(tmp_path: Path, reading: Reading) -> None:
    broken = (
        pdf(["Text."])
        .replace(b"/Contents 7 0 R >>", b"/Contents 7 0 R>>")
        .replace(b"<< /Length", b"<< /Filter /Fl /Length")
    )
    documents, problems = reading(write(tmp_path, broken))
    assert not documents
    assert len(problems) == 1
    assert "is damaged on page 1 (DeprecationError" in problems[0].reason
    assert problems[0].left_out


def test_a_page_that_is_damaged_for_good_does_not_leave_its_file_out(tmp_path: Path, reading: Reading) -> None:
    before, _, after = pdf(["Text.", "More."]).rpartition(b"<< /Length")
    documents, problems = reading(write(tmp_path, before + b"<< /Filter /Fl /Length" + after))
    assert [(document.text, [mark.label for mark in document.marks]) for document in documents] == [("Text.", ["p. 1"])]
    assert [problem.left_out for problem in problems] == [False]
    assert "is damaged on page 2" in problems[0].reason


def test_a_file_that_opens_without_its_password_is_read(tmp_path: Path, one: One) -> None:
    writer = PdfWriter(clone_from=PdfReader(write(tmp_path, pdf(["Not to be printed."]))))
    writer.encrypt("", owner_password="owner", algorithm="RC4-128")
    writer.write(tmp_path / "file-stem.pdf")
    assert one(tmp_path / "file-stem.pdf").text == "Not to be printed."


def test_a_scan_without_text_is_reported(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, pdf(["", ""])))
    assert not documents
    assert problems[0].reason.startswith("has 2 pages and no text")
    assert "ocrmypdf" in problems[0].fix


def test_a_file_without_pages_is_reported(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, pdf([])))
    assert not documents
    assert [problem.reason for problem in problems] == ["has no pages"]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"hello", b"%PDF-1.4\n" + b"\x00" * 500, bytes(range(256)) * 20])
def test_a_file_that_is_not_a_pdf_is_reported(tmp_path: Path, reading: Reading, data: bytes) -> None:
    documents, problems = reading(write(tmp_path, data))
    assert not documents
    assert "is damaged" in problems[0].reason


def test_any_damage_gives_text_or_a_problem(tmp_path: Path, reading: Reading) -> None:
    rng = random.Random(7)
    good = pdf(["The first page of a report.", "The second page."], title="Report")
    outcomes = set()
    for _ in range(300):
        data = bytearray(good)
        for _ in range(rng.choice([1, 3, 30])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        documents, problems = reading(write(tmp_path, bytes(data)))
        assert documents or problems
        outcomes.add((bool(documents), bool(problems)))
    assert {(True, False), (False, True)} <= outcomes


@pytest.mark.parametrize(("short", "left_out"), [(None, False), (12, True)])
def test_a_page_that_another_run_may_read_leaves_the_file_out_however_many_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short: int | None, left_out: bool
) -> None:
    numbers = iter(range(1, 14))

    def extract(_: object) -> str:
        number = next(numbers)
        if number == short:
            raise MemoryError
        if number > 1:
            raise ValueError("damaged")
        return "Text."

    monkeypatch.setattr("pypdf.PageObject.extract_text", extract)
    problems: list[Problem] = []
    documents = list(read_pdf(write(tmp_path, pdf([f"Page {number}." for number in range(13)])), problems.append))
    assert [document.text for document in documents] == ["Text."]
    assert [each.reason for each in problems if "more" in each.reason] == ["has 2 more pages that cannot be read"]
    assert any(problem.left_out for problem in problems) is left_out
