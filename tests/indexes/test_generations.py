from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexes import next_generation
from indexes.adapters.files import read_adapter
from indexes.adapters.linear import Linear
from indexes.errors import SliceError
from indexes.generations import beside, drop, drop_others, file_of, generation_for, key_of, promote, same_passages
from indexes.manifest import FILE, Manifest
from indexes.next_generation import Followed, Next
from indexes.passage import Passage
from indexes.slice import OpenStore, Slice
from indexes.store.open import MEMORY, opener
from indexes.store.server import ServerStore
from tests.fakes import QUESTIONS, TOPICS, WordEncoder, make_passages

PASSAGES = make_passages(TOPICS["orchard"], title="Fruit")
MORE = make_passages(TOPICS["planets"], title="Sky")
OLD, NEW = WordEncoder("words-1"), WordEncoder("words-2", 48)


def build(folder: Path, source: Slice, open_store: OpenStore, encoder: WordEncoder = NEW) -> Followed:
    """Build the next generation to the end; it stays beside the present one."""
    next_ = Next(folder, encoder, open_store)
    *_, last = next_.follow(source.store)
    next_.close()
    return last


def nearest(slice_: Slice, encoder: WordEncoder) -> Passage:
    found = slice_.search(QUESTIONS["orchard"], encoder.encode_questions([QUESTIONS["orchard"]])[0], 3)
    return slice_.passages([found.ids[int(np.argmax(found.dense))]])[0]


@pytest.fixture(params=[MEMORY, ""], ids=["memory", "embedded"])
def open_store(request: pytest.FixtureRequest) -> OpenStore:
    return opener(request.param)


@pytest.fixture
def orchard(tmp_path: Path, open_store: OpenStore) -> Slice:
    slice_ = Slice.create(tmp_path / "orchard", "orchard", "Fruit trees.", OLD, open_store, PASSAGES)
    slice_.add(PASSAGES, OLD)
    return slice_


def test_the_key_tells_all_encoders_apart() -> None:
    keys = {key_of(WordEncoder(revision, size).fingerprint) for revision in "abc" for size in (8, 16)}
    assert len(keys) == 6
    assert all(len(key) == 12 and int(key, 16) >= 0 for key in keys)


def test_a_next_generation_is_built_beside_and_the_slice_stays_as_it_is(orchard: Slice, open_store: OpenStore) -> None:
    before = Manifest.read(orchard.folder)
    assert build(orchard.folder, orchard, open_store) == Followed(8, 8, 8, 0)
    assert Manifest.read(orchard.folder) == before
    (other,) = beside(orchard.folder)
    assert (other.generation, other.fingerprint, other.passages) == (key_of(NEW.fingerprint), NEW.fingerprint, 8)
    assert other.bm25 == before.bm25
    assert nearest(orchard, OLD) == PASSAGES[0]


def test_the_encoder_chooses_the_generation_and_there_and_back_nothing_is_encoded(
    orchard: Slice, open_store: OpenStore
) -> None:
    build(orchard.folder, orchard, open_store)
    orchard.close()
    encoded = NEW.passages + OLD.passages
    for encoder in (NEW, OLD, NEW, NEW):
        opened = Slice.open(orchard.folder, encoder, open_store)
        assert opened.manifest.fingerprint == encoder.fingerprint == Manifest.read(orchard.folder).fingerprint
        assert nearest(opened, encoder) == PASSAGES[0]
        assert len(beside(orchard.folder)) == 1
        opened.close()
    assert NEW.passages + OLD.passages == encoded


def test_all_that_is_stored_but_dense_vectors_is_the_same(orchard: Slice, open_store: OpenStore) -> None:
    build(orchard.folder, orchard, open_store)
    old = [point for points in orchard.store.records() for point in points]
    orchard.close()
    new = [p for points in Slice.open(orchard.folder, NEW, open_store).store.records() for p in points]
    assert [(p.id, p.payload) for p in new] == [(p.id, p.payload) for p in old]
    assert [dict(zip(p.sparse.indices, p.sparse.values, strict=True)) for p in new] == [
        dict(zip(p.sparse.indices, p.sparse.values, strict=True)) for p in old
    ]
    expected = NEW.encode_passages([Passage.from_dict({"id": p.id, **p.payload}).searchable for p in new])
    assert np.allclose([p.dense for p in new], expected, atol=1e-6)


def test_one_that_holds_other_passages_is_not_opened_and_the_error_names_the_command(
    orchard: Slice, open_store: OpenStore
) -> None:
    build(orchard.folder, orchard, open_store)
    orchard.add(MORE[:1], OLD)
    orchard.close()
    with pytest.raises(SliceError, match="built with encoder words") as caught:
        Slice.open(orchard.folder, NEW, open_store)
    assert "symposia reencode" in caught.value.fix
    assert Manifest.read(orchard.folder).fingerprint == OLD.fingerprint


def test_one_with_as_many_other_passages_is_not_opened_either(orchard: Slice, open_store: OpenStore) -> None:
    build(orchard.folder, orchard, open_store)
    orchard.add(MORE[:1], OLD)
    orchard.remove([PASSAGES[0].document_id])
    orchard.close()
    with pytest.raises(SliceError, match="built with encoder words"):
        Slice.open(orchard.folder, NEW, open_store)


def test_it_follows_what_was_added_removed_and_stored_otherwise(orchard: Slice, open_store: OpenStore) -> None:
    next_ = Next(orchard.folder, NEW, open_store)
    list(next_.follow(orchard.store))
    stamp = next_.manifest.updated
    assert [*next_.follow(orchard.store)][-1] == Followed(8, 8, 0, 0)
    assert next_.manifest.updated == stamp
    orchard.add(MORE[:3], OLD)
    orchard.remove([PASSAGES[0].document_id, PASSAGES[5].document_id])
    moved = next(orchard.store.records())[0]
    moved.payload["place"] = "Chapter 2"
    orchard.store.upsert([moved])
    before = NEW.passages
    *_, last = next_.follow(orchard.store)
    assert (last.passages, last.encoded, last.removed, last.changed) == (9, 4, 2, True)
    assert NEW.passages - before == 4
    assert next_.manifest.updated > stamp
    assert same_passages(orchard.store, next_.store)


def test_it_goes_on_where_an_interruption_left_it(
    orchard: Slice, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_generation, "BATCH", 3)
    first = Next(orchard.folder, NEW, open_store)
    assert next(first.follow(orchard.store)) == Followed(8, 3, 3)
    first.close()
    before = NEW.passages
    assert build(orchard.folder, orchard, open_store) == Followed(8, 8, 5, 0)
    assert NEW.passages - before == 5
    assert [manifest.passages for manifest in beside(orchard.folder)] == [8]


def test_what_is_half_built_is_not_opened(
    orchard: Slice, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_generation, "BATCH", 3)
    first = Next(orchard.folder, NEW, open_store)
    next(first.follow(orchard.store))
    first.close()
    orchard.close()
    with pytest.raises(SliceError, match="symposia reencode"):
        Slice.open(orchard.folder, NEW, open_store)
    assert Slice.open(orchard.folder, OLD, open_store).store.count() == 8


def test_the_adapter_stays_with_the_vectors_that_it_was_trained_for(orchard: Slice, open_store: OpenStore) -> None:
    turn = np.eye(OLD.fingerprint.dimension, dtype=np.float32)[::-1]
    adapter = Linear(question=turn, passage=turn)
    orchard.adapt(adapter, {"pairs": 3})
    searched = orchard.store.vectors([PASSAGES[0].id])
    build(orchard.folder, orchard, open_store)
    orchard.close()
    new = Slice.open(orchard.folder, NEW, open_store)
    assert (read_adapter(new.home, NEW).kind, new.manifest.adapter) == ("identity", "")
    new.add(MORE[:2], NEW)
    assert build(orchard.folder, new, open_store, OLD) == Followed(10, 10, 2, 0)
    new.close()
    back = Slice.open(orchard.folder, OLD, open_store)
    assert read_adapter(back.home, OLD).key == adapter.key == back.manifest.adapter
    assert np.array_equal(back.store.vectors([PASSAGES[0].id]), searched)
    base = {i: row for ids, rows in back.base_vectors() for i, row in zip(ids, rows, strict=True)}
    added = OLD.encode_passages([MORE[0].searchable])
    assert np.allclose(base[MORE[0].id], added[0], atol=1e-6)
    assert np.allclose(back.store.vectors([MORE[0].id]), adapter.passages([MORE[0].id], added), atol=1e-5)


@pytest.mark.parametrize("damage", ["pending", "another adapter"])
def test_a_generation_whose_vectors_were_being_moved_is_built_from_the_start(
    orchard: Slice, open_store: OpenStore, damage: str
) -> None:
    build(orchard.folder, orchard, open_store)
    (other,) = beside(orchard.folder)
    changed = {"pending": True} if damage == "pending" else {"adapter": "0123456789abcdef"}
    replace(other, **changed).keep(orchard.folder, file_of(other.generation))  # type: ignore[arg-type]
    assert build(orchard.folder, orchard, open_store) == Followed(8, 8, 8, 0)
    assert [(m.pending, m.adapter) for m in beside(orchard.folder)] == [(False, "")]


def test_whoever_holds_the_generation_before_may_ask_it_but_not_write(orchard: Slice, open_store: OpenStore) -> None:
    next_ = Next(orchard.folder, NEW, open_store)
    list(next_.follow(orchard.store))
    promote(orchard.folder, next_.manifest)
    assert nearest(orchard, OLD) == PASSAGES[0]
    before = orchard.store.count()
    for write in (
        lambda: orchard.add(MORE, OLD),
        lambda: orchard.remove([PASSAGES[0].document_id]),
        lambda: orchard.adapt(Linear(np.eye(OLD.fingerprint.dimension, dtype=np.float32)), {}),
    ):
        with pytest.raises(SliceError, match="encoded anew by another process, with words"):
            write()
    assert orchard.store.count() == before == next_.store.count()


def test_the_present_generation_is_never_dropped(orchard: Slice, open_store: OpenStore) -> None:
    with pytest.raises(ValueError, match="present generation"):
        drop(orchard.folder, orchard.manifest, open_store)
    assert orchard.store.count() == 8


@pytest.mark.parametrize("kept", [OLD, NEW], ids=["the first", "the next"])
def test_what_is_dropped_leaves_nothing_and_the_other_is_whole(
    orchard: Slice, open_store: OpenStore, kept: WordEncoder
) -> None:
    orchard.adapt(Linear(np.eye(OLD.fingerprint.dimension, dtype=np.float32)[::-1].copy()), {"pairs": 3})
    (orchard.folder / "journal.db").write_bytes(b"kept")
    build(orchard.folder, orchard, open_store)
    orchard.close()
    Slice.open(orchard.folder, kept, open_store).close()
    assert drop_others(orchard.folder, open_store) == 1
    assert drop_others(orchard.folder, open_store) == 0
    opened = Slice.open(orchard.folder, kept, open_store)
    assert opened.store.count() == 8
    names = {path.name for path in orchard.folder.iterdir()}
    own = {"adapter.npz", "card.json", "shard"} if kept is OLD else {key_of(NEW.fingerprint)}
    in_memory = isinstance(opened.store, ServerStore)
    assert names == {FILE, "journal.db"} | (own - {"shard", key_of(NEW.fingerprint)} if in_memory else own)
    opened.close()
    with pytest.raises(SliceError, match="built with encoder"):
        Slice.open(orchard.folder, NEW if kept is OLD else OLD, open_store)


def test_interrupted_dropping_is_finished_the_next_time(orchard: Slice, open_store: OpenStore) -> None:
    build(orchard.folder, orchard, open_store)
    (other,) = beside(orchard.folder)
    for path in sorted(other.store_folder(orchard.folder).rglob("*"), reverse=True)[::2]:  # half of the files are gone
        if path.is_file():
            path.unlink()
    (orchard.folder / file_of("damaged")).write_text("{")
    assert drop_others(orchard.folder, open_store) == 1
    assert not other.store_folder(orchard.folder).exists()
    assert beside(orchard.folder) == []
    assert not list(orchard.folder.glob("slice~*"))


@pytest.mark.parametrize("written", [0, 1, 2])
def test_a_promotion_that_was_cut_short_leaves_the_one_or_the_other(
    orchard: Slice, open_store: OpenStore, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(orchard.folder, orchard, open_store)
    (other,) = beside(orchard.folder)
    keep, writes = Manifest.keep, 0

    def dying(self: Manifest, folder: Path, file: str = FILE) -> None:
        nonlocal writes
        if writes == written:
            raise KeyboardInterrupt
        writes += 1
        keep(self, folder, file)

    unlink, last = Path.unlink, file_of(other.generation)

    def dead(self: Path, missing_ok: bool = False) -> None:
        if self.name == last:
            raise KeyboardInterrupt
        unlink(self, missing_ok)

    monkeypatch.setattr(Manifest, "keep", dying)
    monkeypatch.setattr(Path, "unlink", dead)
    with pytest.raises(KeyboardInterrupt):
        promote(orchard.folder, other)
    monkeypatch.undo()
    orchard.close()
    assert Manifest.read(orchard.folder).generation == (other.generation if written == 2 else "")
    for encoder in (NEW, OLD):
        opened = Slice.open(orchard.folder, encoder, open_store)
        assert nearest(opened, encoder) == PASSAGES[0]
        opened.close()
    assert len(beside(orchard.folder)) == 1


def test_a_damaged_store_beside_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    slice_ = Slice.create(tmp_path / "s", "orchard", "", OLD, opener(), PASSAGES)
    slice_.add(PASSAGES, OLD)
    build(slice_.folder, slice_, opener())
    slice_.close()
    (other,) = beside(slice_.folder)
    (other.store_folder(slice_.folder) / "shard" / "edge_config.json").write_text("{")
    with pytest.raises(SliceError, match="built with encoder"):
        Slice.open(slice_.folder, NEW, opener())
    opened = Slice.open(slice_.folder, OLD, opener())
    assert generation_for(slice_.folder, NEW.fingerprint) == other
    opened.close()
