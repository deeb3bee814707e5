from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexes.archive.reader import open_archive
from indexes.archive.slice_file import export_slice, import_slice
from indexes.archive.slices import unpack_slice
from indexes.archive.staging import staged
from indexes.archive.writer import new_archive
from indexes.errors import InputError, SliceError, StoreError
from indexes.generations import opened
from indexes.manifest import Manifest
from indexes.slice import OpenStore, Slice
from indexes.store.base import Point
from indexes.store.open import opener
from tests.fakes import WordEncoder
from tests.indexes.archive.conftest import make_slice, nudge, points_of, state_of

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=30)


def left_over(folder: Path) -> list[str]:
    """What lies in a folder of slices beside them."""
    return sorted(path.name for path in folder.rglob(".*") if path.name != ".incoming.lock")


def test_a_slice_comes_back_as_it_was_under_its_name_or_another(
    slices: Path, tmp_path: Path, embedded: OpenStore
) -> None:
    before = state_of(slices / "birds", embedded)
    told: list[tuple[str, int]] = []
    done = export_slice(slices, "birds", tmp_path / "b.symposia", embedded, lambda *each: told.append(each))
    assert told == [("written", 24)]
    assert (done.points, done.bytes) == (24, (tmp_path / "b.symposia").stat().st_size)
    elsewhere = tmp_path / "other" / "slices"
    assert import_slice(tmp_path / "b.symposia", elsewhere, embedded).points == 24
    assert state_of(elsewhere / "birds", embedded) == before
    told.clear()
    import_slice(tmp_path / "b.symposia", slices, embedded, name="swifts", on_progress=lambda *each: told.append(each))
    assert told[-2:] == [("stored", 24), ("indexing", 24)]
    assert told[0][0] == "bytes checked"
    manifest, *rest = state_of(slices / "swifts", embedded)
    assert (replace(manifest, name="birds"), *rest) == before
    assert left_over(slices) == left_over(elsewhere) == []


def test_what_was_imported_is_searched_as_the_original_is(slices: Path, tmp_path: Path, embedded: OpenStore) -> None:
    encoder = WordEncoder()
    export_slice(slices, "birds", tmp_path / "b", embedded)
    import_slice(tmp_path / "b", slices, embedded, name="swifts")
    vector = encoder.encode_questions(["When do apple trees blossom?"])[0]
    found = []
    for name in ("birds", "swifts"):
        slice_ = Slice.open(slices / name, encoder, embedded)
        candidates = slice_.search("When do apple trees blossom?", vector, 5)
        found.append((candidates.ids, candidates.dense.tolist(), candidates.bm25))
        slice_.close()
    assert found[0][:2] == found[1][:2]
    np.testing.assert_allclose(found[0][2], found[1][2], rtol=1e-5)


def test_an_adapter_that_moved_passages_comes_along_and_can_be_undone(
    slices: Path, tmp_path: Path, embedded: OpenStore
) -> None:
    from indexes.adapters.base import Identity

    original = points_of(slices / "birds", embedded)
    nudge(slices / "birds", embedded)
    export_slice(slices, "birds", tmp_path / "b", embedded)
    import_slice(tmp_path / "b", slices, embedded, name="swifts")
    _, files, points = state_of(slices / "birds", embedded)
    assert state_of(slices / "swifts", embedded)[1:] == (files, points)
    assert {"adapter.npz", "base-vectors.bin"} <= set(files)
    slice_ = Slice.open(slices / "swifts", WordEncoder(), embedded)
    slice_.adapt(Identity(), {})
    slice_.close()
    back = points_of(slices / "swifts", embedded)
    assert [point.dense.tobytes() for point in back] == [point.dense.tobytes() for point in original]


def test_a_half_applied_adapter_is_kept_as_it_is_and_mended_where_it_is_opened(
    slices: Path, tmp_path: Path, embedded: OpenStore
) -> None:
    nudge(slices / "birds", embedded)
    whole = state_of(slices / "birds", embedded)
    replace(Manifest.read(slices / "birds"), pending=True).write(slices / "birds")
    export_slice(slices, "birds", tmp_path / "b", embedded)
    import_slice(tmp_path / "b", slices, embedded, name="swifts")
    assert Manifest.read(slices / "swifts").pending
    Slice.open(slices / "swifts", WordEncoder(), embedded).close()
    assert state_of(slices / "swifts", embedded)[2] == whole[2]


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(TEXT.filter(str.strip), TEXT), max_size=6), st.booleans(), st.sampled_from([0, 3]))
def test_any_slice_survives_the_way_through_a_file(texts: list[tuple[str, str]], moved: bool, dropped: int) -> None:
    folder, store = Path(tempfile.mkdtemp()), opener()
    try:
        made = make_slice(folder / "a", "birds", store, [text for text, _ in texts])
        manifest = Manifest.read(made)
        with_payload = opened(manifest, made, store)
        points = [point for batch in with_payload.records() for point in batch]
        payloads = [
            {**p.payload, "title": title, "": "", "none": None} for p, (_, title) in zip(points, texts, strict=False)
        ]
        with_payload.upsert([Point(p.id, p.dense, p.sparse, new) for p, new in zip(points, payloads, strict=False)])
        with_payload.delete([p.id for p in points[:dropped]])
        left = with_payload.count()
        with_payload.flush()
        with_payload.close()
        replace(manifest, passages=left).write(made)
        if moved and left:
            nudge(made, store)
        export_slice(folder / "a", "birds", folder / "file", store)
        import_slice(folder / "file", folder / "b", store)
        assert state_of(folder / "b" / "birds", store) == state_of(made, store)
    finally:
        shutil.rmtree(folder)


def test_a_taken_name_is_refused_and_replaced_when_asked(slices: Path, tmp_path: Path, embedded: OpenStore) -> None:
    export_slice(slices, "birds", tmp_path / "b", embedded)
    make_slice(slices, "swifts", embedded, ["Swifts sleep in the air."])
    before = state_of(slices / "swifts", embedded)
    with pytest.raises(InputError, match="There is an expert named 'swifts' already"):
        import_slice(tmp_path / "b", slices, embedded, name="swifts")
    assert state_of(slices / "swifts", embedded) == before
    assert import_slice(tmp_path / "b", slices, embedded, name="swifts", replacing=True).replaced
    assert state_of(slices / "swifts", embedded)[1:] == state_of(slices / "birds", embedded)[1:]
    assert left_over(slices) == []


def test_nothing_is_imported_while_the_home_is_being_restored(
    slices: Path, tmp_path: Path, embedded: OpenStore
) -> None:
    export_slice(slices, "birds", tmp_path / "b", embedded)
    with (
        staged(slices.parent, embedded),
        pytest.raises(StoreError, match="Another process is putting something into"),
    ):
        import_slice(tmp_path / "b", slices, embedded, name="swifts")
    assert not (slices / "swifts").exists()
    import_slice(tmp_path / "b", slices, embedded, name="swifts")
    assert left_over(slices) == []


def test_a_slice_that_is_in_use_is_neither_exported_nor_replaced(
    slices: Path, tmp_path: Path, embedded: OpenStore
) -> None:
    export_slice(slices, "birds", tmp_path / "b", embedded)
    held = Slice.open(slices / "birds", WordEncoder(), embedded)
    try:
        with pytest.raises(StoreError, match="is in use by process"):
            export_slice(slices, "birds", tmp_path / "c", embedded)
        with pytest.raises(StoreError, match="not to be replaced now; nothing was changed"):
            import_slice(tmp_path / "b", slices, embedded, replacing=True)
        assert held.store.count() == 24
    finally:
        held.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "home"]
    import_slice(tmp_path / "b", slices, embedded, replacing=True)


def test_a_server_gets_a_collection_of_its_own_and_loses_the_replaced_one(
    slices: Path, tmp_path: Path, embedded: OpenStore, memory: OpenStore
) -> None:
    export_slice(slices, "birds", tmp_path / "b", embedded)
    served = tmp_path / "served" / "slices"
    import_slice(tmp_path / "b", served, memory)
    client = opened(Manifest.read(served / "birds"), served / "birds", memory).connection.client  # type: ignore[attr-defined]
    first = [each.name for each in client.get_collections().collections]
    import_slice(tmp_path / "b", served, memory, replacing=True)
    second = [each.name for each in client.get_collections().collections]
    assert len(first) == len(second) == 1
    assert first != second
    assert [p.id for p in points_of(served / "birds", memory)] == [p.id for p in points_of(slices / "birds", embedded)]


def test_a_failed_import_leaves_no_collection_behind(
    slices: Path, tmp_path: Path, embedded: OpenStore, memory: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_slice(slices, "birds", tmp_path / "b", embedded)
    served = make_slice(tmp_path / "served", "birds", memory, ["Swifts sleep in the air."])
    before = state_of(served, memory)
    client = opened(Manifest.read(served), served, memory).connection.client  # type: ignore[attr-defined]

    def failing(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr("indexes.archive.slices.unpack", failing)
    with pytest.raises(KeyError):
        import_slice(tmp_path / "b", tmp_path / "served", memory, replacing=True)
    assert [each.name for each in client.get_collections().collections] == ["symposia-birds"]
    assert state_of(served, memory) == before
    assert left_over(tmp_path / "served") == []


def test_the_next_import_removes_the_collection_that_a_killed_one_left(
    slices: Path, tmp_path: Path, embedded: OpenStore, memory: OpenStore
) -> None:
    export_slice(slices, "birds", tmp_path / "b", embedded)
    archive = open_archive(tmp_path / "b", "slice")
    served = tmp_path / "served"
    left = unpack_slice(archive, "slices/1/", served / ".incoming" / "new" / "birds", memory).manifest
    client = opened(left, served, memory).connection.client  # type: ignore[attr-defined]
    import_slice(tmp_path / "b", served, memory)
    now = Manifest.read(served / "birds")
    assert now.store_name != left.store_name
    assert [each.name for each in client.get_collections().collections] == [f"symposia-{now.store_name}"]


def test_what_a_server_holds_for_an_imported_slice_is_exported_again_and_adapted(
    slices: Path, tmp_path: Path, embedded: OpenStore, memory: OpenStore
) -> None:
    export_slice(slices, "birds", tmp_path / "b", embedded)
    import_slice(tmp_path / "b", tmp_path / "served", memory)
    nudge(tmp_path / "served" / "birds", memory)
    export_slice(tmp_path / "served", "birds", tmp_path / "c", memory)
    import_slice(tmp_path / "c", slices, embedded, name="swifts")
    assert set(state_of(slices / "swifts", embedded)[1]) == {"adapter.npz", "base-vectors.bin"}


def test_a_slice_whose_passages_are_in_another_store_is_not_exported_as_an_empty_one(
    slices: Path, tmp_path: Path, memory: OpenStore
) -> None:
    with pytest.raises(StoreError, match="should have 24 passages, but this store holds none"):
        export_slice(slices, "birds", tmp_path / "b", memory)
    assert not (tmp_path / "b").exists()


def test_an_unknown_expert_is_named_with_the_known_ones(slices: Path, tmp_path: Path, embedded: OpenStore) -> None:
    with pytest.raises(InputError, match="The experts are: birds"):
        export_slice(slices, "swifts", tmp_path / "b", embedded)
    with pytest.raises(InputError, match="cannot name an expert"):
        export_slice(slices, "../birds", tmp_path / "b", embedded)
    with pytest.raises(InputError, match="cannot name an expert"):
        import_slice(tmp_path / "b", slices, embedded, name="../birds")


@pytest.mark.parametrize("manifest", ["{}", "[]", "no json", '{"name": "../../evil"}', '{"name": "x"}'])
def test_a_manifest_that_is_none_is_refused_before_anything_is_touched(
    tmp_path: Path, embedded: OpenStore, manifest: str
) -> None:
    with new_archive(tmp_path / "b", "slice", {}) as writer:
        writer.add("slices/1/slice.json", manifest.encode())
        writer.add("slices/1/passages", b"0\n")
    with pytest.raises((InputError, SliceError)):
        import_slice(tmp_path / "b", tmp_path / "slices", embedded)
    assert not (tmp_path / "slices").exists() or list((tmp_path / "slices").iterdir()) == [
        tmp_path / "slices" / ".incoming.lock"
    ]


@pytest.mark.parametrize("change", ["journal", "deep", "count", "half", "manifest"])
def test_an_archive_that_holds_what_no_slice_does_is_refused(
    slices: Path, tmp_path: Path, embedded: OpenStore, change: str
) -> None:
    export_slice(slices, "birds", tmp_path / "b", embedded)
    archive = open_archive(tmp_path / "b", "slice")
    with new_archive(tmp_path / "c", "slice", {}) as writer:
        for name, member in archive.members.items():
            content = archive.read(member)
            if change == "count" and name.endswith("passages"):
                content = b"23\n"
            if change == "half" and name.endswith(".npz"):
                continue
            if change == "manifest" and name.endswith("slice.json"):
                continue
            writer.add(name, content)
        if change in {"journal", "deep"}:
            writer.add("slices/1/files/" + {"journal": "journal.db", "deep": "shard/x"}[change], b"")
    with pytest.raises(InputError, match="is damaged"):
        import_slice(tmp_path / "c", slices, embedded, name="swifts")
    assert sorted(path.name for path in slices.iterdir()) == [".incoming.lock", "birds"]


def test_a_generation_in_the_manifest_leads_nowhere(slices: Path, tmp_path: Path, embedded: OpenStore) -> None:
    import json

    export_slice(slices, "birds", tmp_path / "b", embedded)
    archive = open_archive(tmp_path / "b", "slice")
    with new_archive(tmp_path / "c", "slice", {}) as writer:
        for name, member in archive.members.items():
            content = archive.read(member)
            if name.endswith("slice.json"):
                content = json.dumps({**json.loads(content), "generation": "../../evil"}).encode()
            writer.add(name, content)
    import_slice(tmp_path / "c", slices, embedded, name="swifts")
    assert "." not in Manifest.read(slices / "swifts").generation
    assert not list(tmp_path.rglob("evil"))


def test_locks_journals_and_shards_stay_out_of_the_file(slices: Path, tmp_path: Path, embedded: OpenStore) -> None:
    for name in ("journal.db", "journal.db-wal", "expert.npz", "adapter.npz.partial", "some.lock", "slice~abc.json"):
        (slices / "birds" / name).write_bytes(b"x")
    (slices / "birds" / "training").mkdir()
    (slices / "birds" / "training" / "key").write_text("x")
    export_slice(slices, "birds", tmp_path / "b", embedded)
    names = [name for name in open_archive(tmp_path / "b", "slice").members if "/points/" not in name]
    assert names == ["slices/1/slice.json", "slices/1/files/expert.npz", "slices/1/passages"]
