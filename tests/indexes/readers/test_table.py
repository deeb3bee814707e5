from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.passage import Document
from indexes.readers import limits
from indexes.readers.columns import Columns
from indexes.readers.dialect import sniffed
from indexes.readers.files import read
from indexes.readers.problem import Problem
from tests.indexes.readers.memory import grown

One = Callable[[Path], Document]
Reading = Callable[[Path], tuple[list[Document], list[Problem]]]


def write(tmp_path: Path, text: str | bytes, name: str = "rows.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_each_row_is_a_whole_document_with_what_its_columns_are_named_for(tmp_path: Path, one: One) -> None:
    path = write(tmp_path, "ID,Title,Text,Published At,Section\na1,Travel,Go second class.,2024-03-07,3\n")
    document = one(path)
    assert document == Document(
        "Go second class.", "Travel", str(path), "a1", "2024-03-07", whole=True, metadata={"Section": "3"}
    )


def test_a_table_without_a_column_of_text_gives_all_its_columns(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, "sku,name,price,weight\nA-17,Ladder,120,\n"))
    assert document.text == "sku: A-17\nname: Ladder\nprice: 120"
    assert document.title == "Ladder"
    assert not document.metadata


@pytest.mark.parametrize("name", ["text", "content", "body", "passage", "TEXT", " Contents "])
def test_the_text_is_known_by_many_names(tmp_path: Path, one: One, name: str) -> None:
    assert one(write(tmp_path, f"nr,{name}\n7,Some text.\n")).text == "Some text."


def test_a_question_is_the_title_of_its_answer(tmp_path: Path, one: One) -> None:
    document = one(write(tmp_path, "question,answer\nHow long?,Thirty days.\n"))
    assert (document.title, document.text) == ("How long?", "Thirty days.")


def test_cells_hold_line_ends_marks_and_delimiters(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, 'id,text\r\n1,"One, ""two""\r\nthree."\r\n2,Four.\r\n'))
    assert [document.text for document in documents] == ['One, "two"\nthree.', "Four."]
    assert not problems


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv"])
def test_the_delimiter_is_found_out(tmp_path: Path, reading: Reading, delimiter: str, name: str) -> None:
    rows = [
        ["id", "text", "note"],
        ["1", "One thing; or two, or 3.", "a|b"],
        ["2", "Another.", "c"],
        ["3", "Last.", ""],
    ]
    path = tmp_path / name
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    documents, problems = reading(path)
    assert [(document.key, document.text) for document in documents] == [(row[0], row[1]) for row in rows[1:]]
    assert not problems


def test_the_delimiter_is_what_a_first_line_declares(tmp_path: Path, one: One) -> None:
    assert one(write(tmp_path, "sep=;\nid;text\n1;a, b, c\n")).text == "a, b, c"


def test_one_column_is_never_cut(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, "text\nOne, two; three.\n\nFour|five.\n"))
    assert [document.text for document in documents] == ["One, two; three.", "Four|five."]
    assert not problems


def test_marks_are_text_where_rows_are_whole_without_them(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, 'id\ttext\n1\t"Open\n2\tnext "one"\n3\t"quoted"\n', "rows.tsv"))
    assert [document.text for document in documents] == ['"Open', 'next "one"', '"quoted"']
    assert not problems


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_bad_rows_are_reported_by_their_lines_and_the_others_go_on(tmp_path: Path, reading: Reading, end: str) -> None:
    lines = ["id,title,text", '1,,"First', 'row."', "2,,Too,many", "3", "4,,Last.", "", "5,x,\x00"]
    documents, problems = reading(write(tmp_path, end.join(lines)))
    assert [document.text for document in documents] == ["First\nrow.", "Last."]
    assert [problem.reason.split(" (")[0] for problem in problems] == [
        "line 4: has 4 cells where the header has 3",
        "line 5: has no words",
        "line 8: has a NUL character at offset 0",
    ]
    assert all(problem.fix for problem in problems)


def test_a_mark_that_is_never_closed_costs_its_own_row_only(
    tmp_path: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LONGEST_ROW", 10_000)
    rows = "".join(f"{number},Row {number} of the table.\n" for number in range(2, 3000))
    documents, problems = reading(write(tmp_path, 'id,text\n0,"Closed."\n1,"Open\n' + rows))
    assert len(documents) == 2999
    assert [problem.reason.partition(": ")[0] for problem in problems] == ["line 3"]
    assert "is a quotation mark left open?" in problems[0].reason
    documents, problems = reading(write(tmp_path, 'id,text\n0,"Closed."\n1,"Open\n2,Last.\n'))
    assert [document.text for document in documents] == ["Closed.", "Last."]
    assert problems[0].reason == "line 3: opens a quotation mark that is never closed"


def test_many_bad_rows_are_counted_after_the_tenth(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, "id,text\n1,Fine.\n" + "1,2,3\n" * 500))
    assert len(documents) == 1
    assert len(problems) == 11
    assert problems[-1].reason == "has 490 more lines that cannot be read"


def test_ids_that_come_twice_are_reported_and_both_rows_are_kept(tmp_path: Path, reading: Reading) -> None:
    documents, problems = reading(write(tmp_path, "id,text\n1,One.\n2,Two.\n1,Another.\n"))
    assert [document.text for document in documents] == ["One.", "Two.", "Another."]
    assert [problem.reason for problem in problems] == ["line 4: has the id '1' of an earlier line; both were read"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "has no rows"),
        (b"\n \n", "has no rows"),
        (b"id,text\n", "has no rows but its header"),
        (b"12,Some passage without a header.\n", "begins with a row that is no header: '12'"),
        (b"id," + b"long " * 60 + b"\n1,x\n", "begins with a row that is no header"),
        ("id,text\n1,caf\xe9\n".encode("cp1252"), "is not valid UTF-8 (byte 0xe9 at offset 13)"),
        ("id\ttext\n1\tUnicode text.\n".encode("utf-16"), "is UTF-16, not UTF-8"),
        ("id\ttext\n1\tUnicode text.\n".encode("utf-16-le"), "is UTF-16LE, not UTF-8"),
        (",".join("abc" for _ in range(2000)).encode(), "has 2,000 columns; 1,000 are read"),
    ],
)
def test_what_is_no_table_is_reported_as_a_whole(tmp_path: Path, reading: Reading, data: bytes, reason: str) -> None:
    documents, problems = reading(write(tmp_path, data))
    assert not documents
    assert len(problems) == 1
    assert problems[0].reason.startswith(reason)
    assert problems[0].fix
    assert problems[0].left_out == ("no rows" not in reason)


def test_a_bad_byte_far_down_costs_its_line(tmp_path: Path, reading: Reading) -> None:
    rows = "".join(f"{number},Row {number} of the table.\n" for number in range(10_000)).encode()
    documents, problems = reading(write(tmp_path, b"id,text\n" + rows + b'a,caf\xe9\nb,"Two\ncaf\xe9"\nc,Last.\n'))
    assert len(documents) == 10_001
    assert [problem.reason.partition(":")[0] for problem in problems] == ["line 10002", "line 10003", "line 10004"]


def test_a_row_too_long_to_be_a_passage_is_reported(
    tmp_path: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LONGEST_ROW", 100)
    documents, problems = reading(write(tmp_path, f"id,text\n1,{'long ' * 30}\n2,Short.\n"))
    assert [document.text for document in documents] == ["Short."]
    assert "line 2: has " in problems[0].reason
    assert "may have 100" in problems[0].reason


def test_a_table_is_read_a_row_at_a_time(tmp_path: Path) -> None:
    with (tmp_path / "rows.csv").open("w") as file:
        file.write("id,text\n")
        file.writelines(f'{number},"Record {number},\nand its second line."\n' for number in range(30_000))
    count, more = grown(tmp_path)
    assert count == 29_999
    assert more < 4_000  # KiB; as objects, the table would take about 20,000


def test_five_scripts(tmp_path: Path, one: One, script: str) -> None:
    assert one(write(tmp_path, f"id,text\n1,{script}\n")).text == script


CELL = st.text(st.sampled_from([*'ab1 ,;|"\t\n', "é", "中", "😀"]), max_size=12)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12), st.sampled_from(",;\t|"))
@settings(max_examples=60, deadline=None)
def test_what_is_written_as_a_table_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerows(
            [["id", "text", "note"], *([str(at), f"a{text}", note] for at, (text, note) in enumerate(rows))]
        )
    documents = list(read(path, on_problem=lambda problem: pytest.fail(str(problem))))
    assert [(document.key, document.text) for document in documents] == [
        (str(at), f"a{text}".strip()) for at, (text, _) in enumerate(rows)
    ]
    assert [document.metadata.get("note", "") for document in documents] == [note.strip() for _, note in rows]


def test_names_that_come_twice_or_not_at_all_are_numbered() -> None:
    assert Columns.of(["a", "", "a", "a (3)", " b\nc "]).names == ("a", "column 2", "a (3)", "a (3) (4)", "b c")


def test_the_first_column_of_a_name_is_meant_and_a_better_name_goes_first() -> None:
    columns = Columns.of(["answer", "text", "Text", "pid", "id"])
    assert (columns.text, columns.key) == (1, 4)


@pytest.mark.parametrize("text", ["", "\n", "a", "a,b", '"', '"a', ",", ";;\n;;", "a\tb\nc"])
def test_sniffing_takes_anything(text: str) -> None:
    assert sniffed(text.splitlines(keepends=True)).delimiter in {",", ";", "\t", "|", "\x1f"}


def test_rows_of_json_and_of_a_table_are_the_same_documents(tmp_path: Path, one: One) -> None:
    write(tmp_path, json.dumps({"id": "1", "title": "T", "text": "Some text.", "date": "spring 2024"}), "a.jsonl")
    table = one(write(tmp_path, "id,title,text,date\n1,T,Some text.,spring 2024\n"))
    assert one(tmp_path / "a.jsonl").id == table.id
    assert dict(table.metadata) == {"date": "spring 2024"}
