from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.kept import OF, Kept, fingerprint
from indexes.errors import InputError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "kept.jsonl"


def test_what_was_added_is_there_in_the_next_run(file: Path) -> None:
    kept = Kept(file, "item", "policy")
    kept.add({"item": "1", "policy": "cad", "text": "a"})
    kept.add({"item": "1", "policy": "arr", "text": "é"})
    assert (
        kept.get("1", "arr")
        == Kept(file, "item", "policy").get("1", "arr")
        == {"item": "1", "policy": "arr", "text": "é"}
    )
    assert kept.get("2", "arr") is None
    assert [record["policy"] for record in Kept(file, "item", "policy")] == ["cad", "arr"]


def test_a_line_that_was_cut_off_is_measured_anew(file: Path) -> None:
    Kept(file, "id").add({"id": "1"})
    with file.open("a") as stream:
        stream.write('{"id": "2", "te')
    kept = Kept(file, "id")
    assert len(kept) == 1
    kept.add({"id": "2", "text": "whole"})
    assert len(Kept(file, "id")) == 2


def test_the_later_record_of_a_key_counts(file: Path) -> None:
    kept = Kept(file, "id")
    kept.add({"id": "1", "n": 1})
    kept.add({"id": "1", "n": 2})
    assert [record["n"] for record in kept] == [record["n"] for record in Kept(file, "id")] == [2]


def test_what_is_known_is_not_measured_again(file: Path) -> None:
    runs: list[int] = []

    def measure() -> dict[str, int]:
        runs.append(1)
        return {"n": len(runs)}

    for _ in range(2):
        assert Kept(file, "id").found({"id": "q"}, measure) == {"id": "q", "n": 1}
    assert runs == [1]


def test_what_depends_on_something_else_is_measured_again_and_both_are_kept(file: Path) -> None:
    Kept(file, "id").add({"id": "q", "n": 0})  # before there were fingerprints
    for number, of in enumerate(("int8", "float32", "int8"), start=1):
        Kept(file, "id", OF).found({"id": "q", OF: of}, lambda n=number: {"n": n})  # type: ignore[misc]
    kept = Kept(file, "id", OF)
    found = [kept.get("q", of) for of in ("int8", "float32")]
    assert [record["n"] for record in found if record] == [1, 2]
    assert kept.get("q", "bfloat16") is None
    assert len(file.read_text().splitlines()) == 3


def test_a_fingerprint_changes_with_any_part_and_with_their_order() -> None:
    parts = [("a", "b"), ("b", "a"), ("ab",), ("a", "b", ""), (["a", "b"],), ("a", 1)]
    assert len({fingerprint(*each) for each in parts}) == len(parts)
    assert fingerprint("a", "b") == fingerprint("a", "b")


def test_a_file_of_something_else_is_refused(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"other": 1}\n')
    with pytest.raises(InputError, match="has no 'id'"):
        Kept(file, "id")


def test_a_folder_that_cannot_be_written_is_said_and_loses_nothing(file: Path) -> None:
    file.parent.parent.joinpath("folder").write_text("a file stands here")
    with pytest.raises(InputError, match="Cannot write"):
        Kept(file, "id").add({"id": "1"})
