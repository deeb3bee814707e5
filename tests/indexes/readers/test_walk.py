from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexes.errors import InputError
from indexes.readers.problem import Problem
from indexes.readers.walk import Found, walk


def found(path: Path) -> tuple[list[Found], list[Problem]]:
    problems: list[Problem] = []
    return list(walk(path, problems.append)), problems


def test_files_come_in_the_order_of_their_names_and_a_corpus_with_its_folder(tmp_path: Path) -> None:
    for name in ("b.txt", "a/d.txt", "a/c/corpus.jsonl", "a/c/queries.jsonl", ".hidden.txt", "~$lock.docx"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("words")
    corpus = tmp_path / "a" / "c"
    files = [tmp_path / "a" / "d.txt", tmp_path / "b.txt"]
    assert found(tmp_path) == ([Found(corpus / "corpus.jsonl", corpus), *(Found(file, file) for file in files)], [])
    assert found(files[0]) == ([Found(files[0], files[0])], [])


def test_a_corpus_that_is_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text('{"text": "Secret."}')
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "corpus.jsonl").symlink_to(tmp_path / "secret.jsonl")
    files, problems = found(tmp_path / "set")
    assert files == []
    assert [problem.reason for problem in problems] == ["is a link that leads out of the folder"]


def test_folders_may_nest_deeper_than_calls(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("a.txt", os.O_WRONLY | os.O_CREAT, dir_fd=here))
    os.close(here)
    files, problems = found(tmp_path)
    assert [each.file.name for each in files] == ["a.txt"]
    assert problems == []
    (tmp_path / "/".join("d" * 600)).rename(tmp_path / "half")  # what removes the folder is recursive


@pytest.mark.parametrize("name", [b"caf\xe9.txt", b"caf\xe9/a.txt"])
def test_a_name_that_is_not_utf8_is_reported_and_can_be_printed(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text("words")
    (tmp_path / "z.txt").write_text("words")
    files, problems = found(tmp_path)
    assert [each.file.name for each in files] == ["z.txt"]
    assert [problem.reason for problem in problems] == ["has a name that is not UTF-8"]
    assert found(path)[1][0].reason == "has a name that is not UTF-8"


def test_what_is_not_there_is_an_input_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        walk(tmp_path / "nowhere", lambda problem: pytest.fail(str(problem)))
