from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from app.uploads import kept, safe


def test_files_are_written_under_their_names_and_equal_names_apart(tmp_path: Path) -> None:
    files = [("a/notes.txt", b"one"), ("notes.txt", b"two"), ("../notes.txt", b"three")]
    paths = kept([(name, BytesIO(content)) for name, content in files], tmp_path)
    assert [path.relative_to(tmp_path) for path in paths] == [
        Path("notes.txt"),
        Path("2/notes.txt"),
        Path("3/notes.txt"),
    ]
    assert [path.read_bytes() for path in paths] == [b"one", b"two", b"three"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\anna\\Notes 1.md", "Notes 1.md"),
        (".hidden.txt", "hidden.txt"),
        ("a\x00b\n.txt", "ab.txt"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("Übersicht.pdf", "Übersicht.pdf"),
    ],
)
def test_file_names_are_kept_as_far_as_they_are_harmless(name: str, expected: str) -> None:
    assert safe(name) == expected


def test_a_long_file_name_keeps_its_suffix() -> None:
    name = safe("ü" * 300 + ".pdf")
    assert name.endswith("ü.pdf")
    assert len(name.encode()) <= 200
