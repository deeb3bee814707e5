from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indexes.encoders.base import Fingerprint
from indexes.errors import SliceError
from indexes.lexical import Bm25Settings
from indexes.manifest import FILE, Manifest
from indexes.migrations import FORMAT, STEPS, migrated

FORMAT_1 = """{
  "format": 1,
  "name": "orchard",
  "description": "Fruit and trees.",
  "fingerprint": {
    "model": "words",
    "revision": "words-1",
    "dimension": 64,
    "query_prompt": "query: ",
    "passage_prompt": "passage: ",
    "precision": "int8"
  },
  "bm25": {
    "average_length": 7.5,
    "k1": 1.2,
    "b": 0.75,
    "language": "german"
  },
  "passages": 3,
  "updated": "2026-11-23T08:12:17.722569+00:00",
  "adapter": "0123456789abcdef",
  "pending": true
}"""
SAME = Manifest(
    name="orchard",
    description="Fruit and trees.",
    fingerprint=Fingerprint("words", "words-1", 64, "query: ", "passage: ", "int8"),
    bm25=Bm25Settings(7.5, 1.2, 0.75, "german"),
    passages=3,
    updated="2026-11-23T08:12:17.722569+00:00",
    adapter="0123456789abcdef",
    pending=True,
    generation="",
)


def test_a_manifest_recorded_in_format_1_is_read_whole_and_reading_changes_no_file(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(FORMAT_1)
    assert Manifest.read(tmp_path) == SAME
    assert (tmp_path / FILE).read_text() == FORMAT_1


def test_it_stands_in_the_present_format_once_it_is_written_again(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(FORMAT_1)
    Manifest.read(tmp_path).keep(tmp_path)
    assert json.loads((tmp_path / FILE).read_text()) == {**json.loads(FORMAT_1), "format": 2, "generation": ""}
    assert Manifest.read(tmp_path) == SAME


def test_what_the_first_writers_of_format_1_left_out_is_filled_in(tmp_path: Path) -> None:
    values = json.loads(FORMAT_1)
    del values["adapter"], values["pending"], values["fingerprint"]["precision"]
    (tmp_path / FILE).write_text(json.dumps(values))
    found = Manifest.read(tmp_path)
    assert (found.adapter, found.pending, found.fingerprint.precision) == ("", False, "float32")


def test_steps_are_pure_and_there_is_one_for_each_older_format() -> None:
    values = json.loads(FORMAT_1)
    before = json.dumps(values)
    first = migrated(values, Path("s"))
    assert json.dumps(values) == before
    assert first == migrated(values, Path("s"))
    assert len(STEPS) == FORMAT - 1 == 1


def test_the_present_format_is_left_as_it_is() -> None:
    values: dict[str, Any] = {"format": FORMAT, "name": "x", "surprise": 1}
    assert migrated(values, Path("s")) == {"name": "x", "surprise": 1}


def test_a_newer_format_names_the_slice_and_both_numbers() -> None:
    with pytest.raises(
        SliceError, match=rf"slices/orchard was written by a newer.* format {FORMAT + 1}.* up to {FORMAT}"
    ):
        migrated({"format": FORMAT + 1}, Path("slices/orchard"))


@pytest.mark.parametrize("number", [0, -1, "1", 1.5, None, [1]])
def test_a_format_that_is_no_number_from_1_on_is_a_value_error(number: Any) -> None:
    with pytest.raises(ValueError, match="its format is"):
        migrated({"format": number}, Path("s"))
