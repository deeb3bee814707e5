from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.files import json_lines, numbered_lines, write_json, write_lines
from indexes.errors import InputError


def test_lines_keep_their_numbers_and_inner_line_separators(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes("one\n\n  \ntwo\u2028still two\r\n".encode())
    assert list(numbered_lines(file)) == [(1, "one"), (4, "two\u2028still two")]


def test_a_missing_file_and_a_folder_are_input_errors(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(InputError, match="Cannot read"):
            list(numbered_lines(path))


def test_deeply_nested_json_is_an_input_error(tmp_path: Path) -> None:
    file = tmp_path / "deep.jsonl"
    file.write_text("[" * 100_000 + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"deep\.jsonl:1: not JSON"):
        list(json_lines(file))


def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "result"
    write_lines(file, ["old"])

    def broken() -> Iterator[str]:
        yield "new"
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError):
        write_lines(file, broken())
    assert file.read_text(encoding="utf-8") == "old\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_reader_of_the_old_file_never_sees_a_mixture(tmp_path: Path) -> None:
    file = tmp_path / "result"
    write_lines(file, ["old", "lines"])
    with file.open(encoding="utf-8") as reader:
        write_lines(file, ["new"])
        assert reader.read() == "old\nlines\n"
    assert file.read_text(encoding="utf-8") == "new\n"


def test_a_folder_that_cannot_be_made_is_an_input_error(tmp_path: Path) -> None:
    write_lines(tmp_path / "file", ["in the way"])
    with pytest.raises(InputError, match="Cannot write"):
        write_lines(tmp_path / "file" / "result", ["x"])


def test_json_with_a_lone_surrogate_is_written_and_reads_back(tmp_path: Path) -> None:
    record = json.loads('{"text": "caf\\u00e9 \\ud800"}')
    write_json(tmp_path / "r.json", record)
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == record


def test_nan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "r.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []
