from __future__ import annotations

from pathlib import Path

import pytest

from indexes.readers import limits
from indexes.readers.decode import decode
from indexes.readers.problem import Problem

TEXT = "Plain words, naïve and long enough. " * 10


def read(path: Path, data: bytes) -> tuple[str | None, list[Problem]]:
    path.write_bytes(data)
    problems: list[Problem] = []
    return decode(path, problems.append), problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_read_with_and_without_a_mark(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path / "a.txt", TEXT.encode(encoding)) == (TEXT, [])


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"),
        ("utf-32", "UTF-32"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("utf-32-le", "UTF-32LE"),
        ("utf-32-be", "UTF-32BE"),
    ],
)
def test_wider_encodings_are_named_with_and_without_a_mark(tmp_path: Path, encoding: str, name: str) -> None:
    text, problems = read(tmp_path / "a.txt", TEXT.encode(encoding))
    assert text is None
    assert problems[0].reason == f"is {name}, not UTF-8"
    assert f"iconv -f {name} -t UTF-8" in problems[0].fix


def test_a_few_nul_characters_are_no_wider_encoding(tmp_path: Path) -> None:
    text, problems = read(tmp_path / "a.txt", b"zero \x00 byte")
    assert text is None
    assert problems[0].reason == "has a NUL character at offset 5"


def test_no_more_is_read_than_a_document_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LARGEST_TEXT", 20)
    assert read(tmp_path / "a.txt", b"x" * 20)[0] == "x" * 20
    text, problems = read(tmp_path / "a.txt", b"x" * 21)
    assert text is None
    assert "a .txt file may have" in problems[0].reason
