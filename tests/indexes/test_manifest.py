from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexes.encoders.base import Fingerprint
from indexes.errors import SliceError, StoreError
from indexes.lexical import Bm25Settings
from indexes.manifest import FILE, Manifest, check_fingerprint

FINGERPRINT = Fingerprint("words", "abc", 64, "query: ", "passage: ")
MANIFEST = Manifest("orchard", "Fruit and trees.", FINGERPRINT, Bm25Settings(7.5, language="german"), passages=3)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written = MANIFEST.write(tmp_path / "new" / "orchard")
    assert Manifest.read(tmp_path / "new" / "orchard") == written
    assert replace(written, updated="") == MANIFEST
    assert timedelta() <= datetime.now(UTC) - datetime.fromisoformat(written.updated) < timedelta(minutes=5)
    assert [path.name for path in (tmp_path / "new" / "orchard").iterdir()] == [FILE]


def test_a_manifest_from_before_there_were_adapters_is_read(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    values = json.loads((tmp_path / FILE).read_text())
    assert (values.pop("adapter"), values.pop("pending")) == ("", False)
    (tmp_path / FILE).write_text(json.dumps(values))
    assert replace(Manifest.read(tmp_path), updated="") == MANIFEST
    moved = replace(MANIFEST, adapter="0123456789abcdef", pending=True).write(tmp_path)
    assert Manifest.read(tmp_path) == moved


def test_two_changes_within_a_second_are_told_apart(tmp_path: Path) -> None:
    first = MANIFEST.write(tmp_path)
    assert first.write(tmp_path).updated > first.updated


def test_an_interrupted_write_leaves_the_old_manifest(tmp_path: Path) -> None:
    written = MANIFEST.write(tmp_path)
    (tmp_path / f"{FILE}.partial").write_text('{"format": 1, "na')
    assert Manifest.read(tmp_path) == written
    assert replace(written, passages=4).write(tmp_path).passages == Manifest.read(tmp_path).passages == 4


def test_a_missing_slice_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SliceError, match=r"There is no slice at .*nowhere") as caught:
        Manifest.read(tmp_path / "nowhere")
    assert "symposia add" in caught.value.fix


def test_a_newer_format_is_refused_with_both_numbers(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    values = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(values | {"format": 99}))
    with pytest.raises(SliceError, match=r"newer version of Symposia: in format 99, .* up to 2") as caught:
        Manifest.read(tmp_path)
    assert "Update Symposia" in caught.value.fix


@pytest.mark.parametrize(("generation", "name", "folder"), [("", "orchard", "s"), ("ab12", "orchard~ab12", "s/ab12")])
def test_a_generation_has_a_store_and_a_folder_of_its_own(generation: str, name: str, folder: str) -> None:
    manifest = replace(MANIFEST, generation=generation)
    assert manifest.store_name == name
    assert manifest.store_folder(Path("s")) == Path(folder)


def test_a_manifest_is_kept_under_another_name_with_the_stamp_that_it_has(tmp_path: Path) -> None:
    written = MANIFEST.write(tmp_path)
    replace(written, generation="ab12").keep(tmp_path, "slice~ab12.json")
    assert Manifest.read(tmp_path) == written
    assert Manifest.read(tmp_path, "slice~ab12.json") == replace(written, generation="ab12")


def test_a_disk_that_cannot_be_written_is_a_store_error_and_the_old_manifest_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = MANIFEST.write(tmp_path)

    def full(*_: object, **__: bool) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("indexes.manifest.atomic.write", full)
    with pytest.raises(StoreError, match=r"slice\.json cannot be written: No space left on device"):
        written.write(tmp_path)
    assert Manifest.read(tmp_path) == written


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b'"text"',
        b"7",
        b"null",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "name": "x"}',
        b'{"format": 2, "name": "x"}',
        b'{"format": 0}',
        b'{"format": "2"}',
        b'{"format": null}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_manifest_is_a_slice_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(SliceError, match="is damaged") as caught:
        Manifest.read(tmp_path)
    assert "add the documents again" in caught.value.fix


@pytest.mark.parametrize("change", [{"surprise": 1}, {"fingerprint": None}, {"bm25": {"b": 1}}])
def test_a_manifest_that_does_not_fit_is_damaged(tmp_path: Path, change: dict[str, object]) -> None:
    MANIFEST.write(tmp_path)
    values = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(values | change))
    with pytest.raises(SliceError, match="is damaged"):
        Manifest.read(tmp_path)


def test_the_same_encoder_is_welcome() -> None:
    check_fingerprint(MANIFEST, Fingerprint("words", "abc", 64, "query: ", "passage: "))


@pytest.mark.parametrize(
    "given",
    [
        replace(FINGERPRINT, revision="def"),
        replace(FINGERPRINT, dimension=32),
        replace(FINGERPRINT, query_prompt=""),
        replace(FINGERPRINT, passage_prompt="text: "),
    ],
)
def test_another_encoder_is_refused_with_both_names_and_the_way_out(given: Fingerprint) -> None:
    with pytest.raises(SliceError, match="built with encoder words") as caught:
        check_fingerprint(MANIFEST, given)
    assert f"revision {given.revision}, {given.dimension} dimensions" in caught.value.problem
    assert "symposia reencode" in caught.value.fix


@pytest.mark.parametrize(("built", "given"), [("float32", "int8"), ("int8", "float32")])
def test_vectors_of_another_precision_are_refused_with_the_setting_that_mends_it(built: str, given: str) -> None:
    manifest = replace(MANIFEST, fingerprint=replace(FINGERPRINT, precision=built))
    with pytest.raises(SliceError, match=f"built with {built} vectors of words, .* ask for {given} ones") as caught:
        check_fingerprint(manifest, replace(FINGERPRINT, precision=given))
    assert f'models.runtime = "{built}"' in caught.value.fix
    assert "symposia reencode" in caught.value.fix


def test_a_manifest_without_a_precision_is_one_of_float32(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    values = json.loads((tmp_path / FILE).read_text())
    assert values["fingerprint"].pop("precision") == "float32"
    (tmp_path / FILE).write_text(json.dumps(values))
    assert Manifest.read(tmp_path).fingerprint == FINGERPRINT
    check_fingerprint(Manifest.read(tmp_path), FINGERPRINT)
