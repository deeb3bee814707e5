from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexes.errors import InputError
from indexes.readers.problem import Problem
from indexes.splitter import Splitter
from indexes.sync.cutting import Cutting
from indexes.sync.given import Finished, Given, Item
from indexes.sync.reading import Reading


def items(folder: Path, problems: list[Problem], below: Path | None = None) -> list[Item]:
    return list(Reading([folder], Cutting(Splitter()), problems.append, below))


def test_a_file_is_followed_by_word_that_it_is_finished(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One file with words.", encoding="utf-8")
    (tmp_path / "b.txt").write_text("\x00", encoding="utf-8")
    problems: list[Problem] = []
    given, first, second = items(tmp_path, problems)
    assert isinstance(given, Given) and (given.count, given.origin.root) == (1, str(tmp_path))
    assert isinstance(first, Finished) and first.whole and first.stamp is None  # it was written a moment ago
    assert isinstance(second, Finished) and not second.whole
    assert [problem.path.name for problem in problems] == ["b.txt"]


def test_an_old_file_has_a_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexes.sync.reading.SETTLING", -(10**20))
    (tmp_path / "a.txt").write_text("One file with words.", encoding="utf-8")
    *_, finished = items(tmp_path, [])
    assert isinstance(finished, Finished) and finished.stamp is not None and finished.stamp.size == 20


def test_what_is_there_for_a_moment_has_no_origin(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One file with words.", encoding="utf-8")
    (given,) = items(tmp_path, [], below=tmp_path)
    assert isinstance(given, Given) and (given.source, given.origin.path) == ("a.txt", "")


def test_a_name_that_is_not_utf_8_is_a_problem_that_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One file with words.", encoding="utf-8")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.txt", "w") as file:  # noqa: PTH123 (a name in bytes)
        file.write("Words.")
    problems: list[Problem] = []
    assert len(items(tmp_path, problems)) == 2
    assert str(problems[0].path).encode().endswith(b"caf\\xe9.txt")


def test_a_path_that_is_not_there_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Reading([tmp_path / "none"], Cutting(Splitter()), lambda _: None)
