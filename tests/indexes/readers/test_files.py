from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexes.errors import InputError
from indexes.passage import Document
from indexes.readers import files, limits
from indexes.readers.files import READERS, read
from indexes.readers.problem import Problem
from tests.indexes.readers.memory import grown

One = Callable[[Path], Document]
Reading = Callable[[Path], tuple[list[Document], list[Problem]]]


NAMES = ("a.csv", "a.docx", "a.html", "a.jsonl", "a.md", "a.pdf", "a.tsv", "a.txt")


def unexpected(problem: Problem) -> None:
    pytest.fail(str(problem))


def test_a_path_that_does_not_exist_is_an_input_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.txt does not exist"):
        read(tmp_path / "nowhere.txt", on_problem=unexpected)


def test_a_text_given_in_place_of_a_path_is_an_input_error() -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        read("What is the rate? " * 500, on_problem=unexpected)


def test_a_pipe_is_an_input_error_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        read(tmp_path / "pipe.txt", on_problem=unexpected)


def test_a_pipe_a_socket_and_a_device_in_a_folder_are_reported_and_not_waited_for(
    tmp_path: Path, reading: Reading
) -> None:
    os.mkfifo(tmp_path / "a.txt")
    (tmp_path / "b.txt").write_text("Read me.")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "c.txt"))  # absolute, the name would be too long for a socket
        documents, problems = reading(tmp_path)
    assert [document.title for document in documents] == ["b"]
    assert [(problem.path.name, problem.reason) for problem in problems] == [
        ("a.txt", "is a pipe, a socket or a device, not a file"),
        ("c.txt", "is a pipe, a socket or a device, not a file"),
    ]


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.md"])
def test_a_file_that_becomes_a_pipe_before_it_is_opened_is_not_waited_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("A file.")
    problems: list[Problem] = []
    documents = read(tmp_path / name, on_problem=problems.append)
    path.unlink()
    os.mkfifo(path)
    assert list(documents) == []
    assert [problem.reason for problem in problems] == ["cannot be read (it is no file)"]


def test_a_folder_is_read_to_the_bottom_in_order_of_names(tmp_path: Path, reading: Reading) -> None:
    for name in ("b/two.txt", "b/a/one.md", "c.txt", "a.HTML"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Text of {name}.")
    documents, problems = reading(tmp_path)
    assert [Path(document.source).relative_to(tmp_path).as_posix() for document in documents] == [
        "a.HTML",
        "b/a/one.md",
        "b/two.txt",
        "c.txt",
    ]
    assert not problems


def test_hidden_files_and_word_locks_are_skipped_in_silence(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "notes.txt").write_text("Secret.")
    (tmp_path / ".env.txt").write_text("Secret.")
    (tmp_path / "~$report.docx").write_bytes(b"\x05lock")
    (tmp_path / "report.txt").write_text("Open.")
    documents, problems = reading(tmp_path)
    assert [document.text for document in documents] == ["Open."]
    assert not problems


def test_an_unsupported_file_is_reported_with_what_is_supported(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / "Makefile").write_text("all:")
    documents, problems = reading(tmp_path)
    assert not documents
    assert [problem.path.name for problem in problems] == ["Makefile", "photo.png"]
    assert "without a suffix" in problems[0].reason
    assert ".png files are not supported" in problems[1].reason
    assert all(suffix in problems[1].fix for suffix in READERS)


def test_a_bad_file_does_not_keep_the_others_from_being_read(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "a.txt").write_text("First.")
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.4\nnot really")
    (tmp_path / "c.txt").write_bytes(b"caf\xe9 au lait")
    (tmp_path / "d.docx").write_bytes(b"PK\x03\x04 broken")
    (tmp_path / "e.txt").write_text(" \n --- \n")
    (tmp_path / "f.txt").write_bytes(b"zero \x00 byte")
    (tmp_path / "g.txt").write_text("Last.")
    documents, problems = reading(tmp_path)
    assert [document.text for document in documents] == ["First.", "Last."]
    assert [problem.path.name[0] for problem in problems] == list("bcdef")
    assert all(problem.reason and problem.fix for problem in problems)


def test_problems_print_with_path_reason_and_fix(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "c.txt").write_bytes(b"caf\xe9 au lait")
    _, problems = reading(tmp_path)
    assert str(problems[0]).startswith(f"{tmp_path / 'c.txt'} is not valid UTF-8 (byte 0xe9 at offset 3)\n")


def test_utf16_is_named_for_what_it_is(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "notepad.txt").write_bytes("Unicode".encode("utf-16"))
    documents, problems = reading(tmp_path)
    assert not documents
    assert "UTF-16" in problems[0].reason
    assert "iconv" in problems[0].fix


def test_a_file_that_may_not_be_read_is_reported(
    tmp_path: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    for name in NAMES:
        (tmp_path / name).write_text("Closed.")
    with monkeypatch.context() as patch:
        patch.setattr("indexes.readers.opening.os.open", refuse)
        documents, problems = reading(tmp_path)
    assert not documents
    assert [problem.path.name for problem in problems] == sorted(NAMES)
    assert {problem.reason for problem in problems} == {"cannot be read (Permission denied)"}


def test_a_file_that_vanishes_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Gone.")
    problems: list[Problem] = []
    documents = read(tmp_path / "a.txt", on_problem=problems.append)
    (tmp_path / "a.txt").unlink()
    assert list(documents) == []
    assert "cannot be read (No such file or directory)" in problems[0].reason


def test_a_file_too_large_to_be_one_document_is_reported(
    tmp_path: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LARGEST_TEXT", 10)
    monkeypatch.setattr(limits, "LARGEST_FILE", 30)
    (tmp_path / "long.txt").write_text("More than ten bytes.")
    (tmp_path / "long.pdf").write_text("More than thirty bytes, a few more.")
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": "Rows may be as many as they like."}))
    documents, problems = reading(tmp_path)
    assert [document.text for document in documents] == ["Rows may be as many as they like."]
    assert ["file may have" in problem.reason for problem in problems] == [True, True]


def test_links_that_leave_the_folder_are_not_followed(tmp_path: Path, reading: Reading) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.txt").write_text("Secret.")
    (inside / "file.txt").symlink_to(outside / "secret.txt")
    (inside / "folder").symlink_to(outside)
    (inside / "own.txt").write_text("Own.")
    documents, problems = reading(inside)
    assert [document.text for document in documents] == ["Own."]
    assert [problem.path.name for problem in problems] == ["file.txt", "folder"]
    assert "leads out of the folder" in problems[0].reason


def test_links_inside_the_folder_are_followed_to_files_and_never_in_circles(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "page.md").write_text("Mounted.")
    (tmp_path / "page.md").symlink_to(tmp_path / "..data" / "page.md")
    (tmp_path / "circle").symlink_to(tmp_path)
    documents, problems = reading(tmp_path)
    assert [document.text for document in documents] == ["Mounted."]
    assert not problems


def test_links_that_lead_nowhere_are_reported(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    (tmp_path / "old.txt").symlink_to(tmp_path / "gone.txt")
    documents, problems = reading(tmp_path)
    assert not documents
    assert [(problem.path.name, problem.reason) for problem in problems] == [
        ("loop.txt", "is a link that leads nowhere"),
        ("old.txt", "is a link that leads nowhere"),
    ]


def test_a_folder_given_as_a_link_is_read(tmp_path: Path, reading: Reading) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("Through the link.")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    documents, problems = reading(tmp_path / "link")
    assert [document.text for document in documents] == ["Through the link."]
    assert not problems


def test_of_a_beir_folder_only_the_corpus_is_read_wherever_it_lies(tmp_path: Path, reading: Reading) -> None:
    beir = tmp_path / "sets" / "tiny"
    (beir / "qrels").mkdir(parents=True)
    (beir / "corpus.jsonl").write_text(json.dumps({"_id": "d1", "title": "T", "text": "A document."}))
    (beir / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": "A query?"}))
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    for path in (beir, tmp_path):
        documents, problems = reading(path)
        assert [(document.key, document.title, document.text, document.whole) for document in documents] == [
            ("d1", "T", "A document.", True)
        ]
        assert not problems


def test_documents_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text(f"Text {name}.")
    documents = read(tmp_path, on_problem=unexpected)
    assert next(documents).text == "Text a."
    (tmp_path / "b.txt").write_text("Changed meanwhile.")
    assert next(documents).text == "Changed meanwhile."


def test_a_corpus_is_read_a_line_at_a_time(tmp_path: Path) -> None:
    fifo = tmp_path / "corpus.jsonl"
    with fifo.open("w") as file:
        file.writelines(json.dumps({"_id": str(n), "text": f"Record {n}."}) + "\n" for n in range(100_000))
    count, more = grown(tmp_path)
    assert count == 99_999
    assert more < 4_000  # KiB; as objects, the corpus would take about 60,000


def test_the_same_content_has_the_same_id_from_any_path_and_system(tmp_path: Path, one: One) -> None:
    (tmp_path / "unix").mkdir()
    (tmp_path / "windows").mkdir()
    (tmp_path / "unix" / "note.txt").write_bytes("Naïve.\nTwo lines.\n".encode())
    (tmp_path / "windows" / "note.txt").write_bytes("\ufeffNaïve.\r\nTwo lines.\r\n".encode())
    unix, windows = one(tmp_path / "unix" / "note.txt"), one(tmp_path / "windows" / "note.txt")
    assert unix.id == windows.id
    assert unix.source != windows.source


def test_text_files_in_five_scripts_are_read_as_written(tmp_path: Path, one: One, script: str) -> None:
    for suffix in (".txt", ".md"):
        path = tmp_path / f"file{suffix}"
        path.write_text(script, encoding="utf-8")
        assert one(path).text == script


def test_importing_the_readers_imports_no_parser() -> None:
    heavy = ["pypdf", "docx", "bs4", "markdown_it", "llama_index", "numpy", "lxml"]
    program = (
        "import sys, indexes.readers.files, indexes.splitter, indexes.llama;"
        f" print([name for name in {heavy} if name in sys.modules])"
    )
    output = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert output.stdout.strip() == "[]"


def test_every_order_of_making_files_gives_the_same_documents(tmp_path: Path, reading: Reading) -> None:
    orders = []
    for number, order in enumerate(itertools.permutations(["x.txt", "a.txt", "m.txt"])):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in order:
            (folder / name).write_text(f"Text of {name}.")
        orders.append([document.title for document in reading(folder)[0]])
    assert orders == [["a", "m", "x"]] * 6
