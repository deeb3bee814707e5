from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexes import atomic
from indexes.adapters.base import Adapter, Identity
from indexes.adapters.files import (
    CARD,
    FILE,
    Header,
    read_adapter,
    read_card,
    read_header,
    remove_adapter,
    write_adapter,
)
from indexes.adapters.linear import Linear
from indexes.adapters.nudge import Nudged
from indexes.errors import SliceError
from indexes.manifest import Manifest
from tests.fakes import WordEncoder
from tests.indexes.adapters.conftest import residual, rows

ADAPTERS = [
    Identity(),
    Linear(residual(1), 0.5),
    Linear(residual(1), 1.0, residual(2)),
    Nudged(("a", "b"), rows(2)),
    Nudged(("a", "b"), rows(2), Linear(residual(1))),
]
SOME = ADAPTERS[1]


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: f"{adapter.kind}-{adapter.key[:4]}")
def test_what_was_written_is_read(folder: Path, encoder: WordEncoder, adapter: Adapter) -> None:
    write_adapter(folder, adapter, {"pairs": 7, "name": "Äpfel"})
    again = read_adapter(folder, encoder)
    assert (type(again), again.kind, again.key) == (type(adapter), adapter.kind, adapter.key)
    np.testing.assert_array_equal(again.questions(["x"] * 3, rows(3)), adapter.questions(["x"] * 3, rows(3)))
    np.testing.assert_array_equal(again.passages(["a", "b", "c"], rows(3)), adapter.passages(["a", "b", "c"], rows(3)))
    assert read_header(folder) == Header(adapter.kind, adapter.key, adapter.moves_passages, encoder.fingerprint)
    assert read_card(folder) == {"pairs": 7, "name": "Äpfel", "key": adapter.key}


def test_where_none_is_kept_the_identity_is_meant(folder: Path, encoder: WordEncoder) -> None:
    assert isinstance(read_adapter(folder, encoder), Identity)
    assert read_header(folder) == Header("identity", "", False, None)
    assert read_card(folder) is None


def test_a_removed_adapter_is_gone_and_removing_none_is_no_error(folder: Path, encoder: WordEncoder) -> None:
    write_adapter(folder, SOME, {})
    for _ in range(2):
        remove_adapter(folder)
        assert isinstance(read_adapter(folder, encoder), Identity)
        assert read_card(folder) is None


def test_another_adapter_takes_the_place_of_the_first(folder: Path, encoder: WordEncoder) -> None:
    write_adapter(folder, SOME, {"pairs": 1})
    write_adapter(folder, ADAPTERS[2], {"pairs": 2})
    assert read_adapter(folder, encoder).key == ADAPTERS[2].key
    assert (read_card(folder) or {})["pairs"] == 2
    assert not list(folder.glob("*.partial"))


def test_an_interruption_leaves_an_adapter_and_no_card_of_another(
    folder: Path, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_adapter(folder, SOME, {"pairs": 1})
    replacing = atomic.write

    def write(path: Path, content: bytes) -> None:
        if path.name == CARD:
            raise KeyboardInterrupt
        replacing(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "write", write)
        with pytest.raises(KeyboardInterrupt):
            write_adapter(folder, ADAPTERS[2], {"pairs": 2})
    assert read_adapter(folder, encoder).key == ADAPTERS[2].key
    assert read_card(folder) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"revision": "words-2"}, "revision 'words-1' instead of 'words-2'"),
        ({"dimension": 32}, "dimension 64 instead of 32"),
        ({"precision": "int8"}, "precision 'float32' instead of 'int8'"),
        ({"query_prompt": "query: "}, "query_prompt '' instead of 'query: '"),
    ],
)
def test_an_adapter_of_another_base_is_refused_with_the_way_out(
    folder: Path, change: dict[str, str], said: str
) -> None:
    write_adapter(folder, SOME, {})
    other = WordEncoder()
    other.fingerprint = replace(other.fingerprint, **change)  # type: ignore[arg-type]
    with pytest.raises(SliceError, match="another base encoder") as caught:
        read_adapter(folder, other)
    assert said in caught.value.problem
    assert f"remove {folder / FILE}" in caught.value.fix
    assert "symposia train" in caught.value.fix


@pytest.mark.parametrize("kept", [0, 1, 100, -1, -30, -4000])
def test_a_damaged_file_is_a_slice_error(folder: Path, encoder: WordEncoder, kept: int) -> None:
    write_adapter(folder, SOME, {})
    content = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(content[:kept])
    with pytest.raises(SliceError, match="is damaged") as caught:
        read_adapter(folder, encoder)
    assert f"{folder / FILE}" in caught.value.problem
    assert "remove it" in caught.value.fix


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_flipped_bit_is_noticed(folder: Path, encoder: WordEncoder, place: float) -> None:
    write_adapter(folder, SOME, {})
    content = bytearray((folder / FILE).read_bytes())
    content[int(place * len(content))] ^= 4
    (folder / FILE).write_bytes(content)
    with pytest.raises(SliceError, match="is damaged"):
        read_adapter(folder, encoder)


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"kind": "spline"}, {"key": "0" * 16}, {"base": None}, {"base": {}}, {"surprise": 1}]
)
def test_a_header_that_does_not_fit_is_a_slice_error(
    folder: Path, encoder: WordEncoder, change: dict[str, object]
) -> None:
    write_adapter(folder, SOME, {})
    with np.load(folder / FILE) as kept:
        arrays = dict(kept)
    arrays["header"] = np.array(json.dumps(json.loads(str(arrays["header"])) | change))
    np.savez(folder / FILE, **arrays)
    with pytest.raises(SliceError, match="is damaged"):
        read_adapter(folder, encoder)


@pytest.mark.parametrize("adapter", [Linear(residual(1, 32)), Nudged(("a",), rows(1, dimension=32))])
def test_an_adapter_of_another_size_than_its_base_is_a_slice_error(
    folder: Path, encoder: WordEncoder, adapter: Adapter
) -> None:
    write_adapter(folder, adapter, {})
    with pytest.raises(SliceError, match=r"32.*64"):
        read_adapter(folder, encoder)


def test_a_folder_without_a_slice_takes_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(SliceError, match="There is no slice"):
        write_adapter(tmp_path, SOME, {})


def test_files_of_adapters_know_the_precision_of_their_base(folder: Path) -> None:
    manifest = Manifest.read(folder)
    replace(manifest, fingerprint=replace(manifest.fingerprint, precision="int8")).write(folder)
    write_adapter(folder, SOME, {})
    base = read_header(folder).base
    assert base is not None
    assert base.precision == "int8"
