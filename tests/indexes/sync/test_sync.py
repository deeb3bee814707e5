from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from indexes.adapters.linear import Linear
from indexes.encoders.base import Progress, Vectors
from indexes.errors import StoreError
from indexes.splitter import Splitter
from indexes.sync.journal import FILE, FORMAT, Journal
from indexes.sync.sync import Done, Wishes
from tests.fakes import WordEncoder
from tests.indexes.sync.conftest import World

APPLES = "Apple trees blossom in April. They carry fruit from August. Cherries split when heavy rain falls."
ENGINES = "A diesel engine ignites its fuel by compression alone."
PLANETS = "Neptune was found by calculation before it was seen."
CAREFUL = Wishes(prune=False)


def sources(world: World) -> set[str]:
    return {str(Path(p.source).relative_to(world.folder)) for p in world.passages().values()}


def texts(world: World) -> set[str]:
    return {passage.text for passage in world.passages().values()}


def many(world: World, n: int = 6) -> None:
    for number in range(n):
        world.text(f"{number}.txt", f"{ENGINES} Number {number}.")


def test_an_unchanged_file_is_not_opened_and_nothing_is_embedded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    many(world)
    first = world.sync()
    assert (first.documents, first.new, first.embedded) == (6, 6, world.encoder.passages)
    monkeypatch.setattr("indexes.sync.reading.read", lambda *_, **__: pytest.fail("a file was opened"))
    again = world.sync()
    assert (again.documents, again.new, again.passages, again.embedded) == (6, 0, first.passages, 0)
    assert again.stored == ()


def test_a_file_that_may_have_changed_unseen_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path / "slice", tmp_path / "documents")
    file = world.folder / "a.txt"
    world.text("a.txt", ENGINES)
    moment = file.stat().st_mtime_ns
    world.sync()
    file.write_text(ENGINES.replace("diesel", "petrol"), encoding="utf-8")
    os.utime(file, ns=(moment, moment))  # of the same size, and made to look as old
    assert world.sync().dropped.replaced == 1
    assert "petrol" in texts(world).pop()


def test_a_changed_file_replaces_its_earlier_version_and_only_new_texts_are_embedded(world: World) -> None:
    world.splitter = Splitter(size=6)
    world.text("a.txt", APPLES)
    world.sync()
    before = world.encoder.passages
    world.text("a.txt", APPLES.replace("heavy rain", "much rain"))
    done = world.sync()
    assert (done.new, done.dropped.replaced, done.dropped.removed) == (1, 1, 0)
    assert (done.embedded, world.encoder.passages - before) == (1, 1)
    assert done.reused == len(world.passages()) - 1 > 0
    assert any("much rain" in text for text in texts(world)) and not any("heavy rain" in text for text in texts(world))


def test_the_earlier_version_goes_only_when_the_new_one_is_stored(world: World) -> None:
    world.text("a.txt", ENGINES)
    world.sync()
    world.text("a.txt", PLANETS)
    seen: list[set[str]] = []
    delete = world.store.delete
    world.store.delete = lambda ids: (seen.append(texts(world)), delete(ids))[1]  # type: ignore[func-returns-value, method-assign]
    world.sync()
    assert seen == [{ENGINES, PLANETS}]
    assert texts(world) == {PLANETS}


def test_what_is_kept_is_replaced_once_it_need_not_be_kept(world: World) -> None:
    world.text("a.txt", ENGINES)
    world.sync()
    world.text("a.txt", PLANETS)
    assert world.sync(Wishes(replacing=False)).dropped.replaced == 0
    assert texts(world) == {ENGINES, PLANETS}
    assert world.sync().dropped.replaced == 1
    assert texts(world) == {PLANETS}


def test_documents_of_a_file_that_is_gone_are_removed_unless_the_folder_is_another(
    world: World, tmp_path: Path
) -> None:
    many(world)
    world.sync()
    world.remove("3.txt")
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.txt").write_text(PLANETS, encoding="utf-8")
    assert world.sync(CAREFUL, [other]).dropped.removed == 0
    assert len(texts(world)) == 7
    assert world.sync(CAREFUL, [world.folder]).dropped.removed == 1
    assert not any("Number 3" in text for text in texts(world))


def test_a_file_that_was_given_by_itself_is_not_missed(world: World) -> None:
    many(world)
    world.sync(CAREFUL, [world.folder / "0.txt"])
    world.remove("0.txt")
    assert world.sync(CAREFUL, [world.folder]).dropped.removed == 0
    assert len(texts(world)) == 6


def test_a_file_found_in_a_folder_is_missed_in_the_folder_around_it(world: World) -> None:
    many(world, 4)
    world.text("sub/a.txt", APPLES)
    world.text("sub/b.txt", PLANETS)
    world.sync(CAREFUL, [world.folder / "sub"])
    world.remove("sub/b.txt")
    assert world.sync(CAREFUL, [world.folder]).dropped.removed == 1
    assert PLANETS not in texts(world)


def test_where_more_than_half_is_gone_nothing_is_removed_unless_that_is_meant(world: World) -> None:
    many(world)
    world.sync()
    for number in range(4):
        world.remove(f"{number}.txt")
    done = world.sync(CAREFUL)
    assert done.dropped.removed == 0
    (problem,) = done.dropped.withheld
    assert problem.path == world.folder and "4 of the 6 documents" in problem.reason and "--prune" in problem.fix
    assert len(texts(world)) == 6
    assert world.sync(Wishes(prune=True)).dropped.removed == 4
    assert len(texts(world)) == 2


def test_an_empty_folder_loses_nothing(world: World) -> None:
    many(world)
    world.sync()
    shutil.rmtree(world.folder)
    world.folder.mkdir()
    done = world.sync(CAREFUL)
    assert (done.documents, len(done.dropped.withheld), len(texts(world))) == (0, 1, 6)


def test_a_file_of_rows_that_has_lost_most_of_them_loses_nothing_unless_that_is_meant(world: World) -> None:
    world.rows("r.jsonl", [{"_id": str(n), "text": f"{ENGINES} {n}."} for n in range(6)])
    world.sync()
    world.rows("r.jsonl", [{"_id": "0", "text": f"{ENGINES} 0."}, {"_id": "9", "text": PLANETS}])
    done = world.sync(CAREFUL)
    assert (done.dropped.removed, len(done.dropped.withheld), len(texts(world))) == (0, 1, 7)
    assert "lost 5 of the 6 documents" in done.dropped.withheld[0].reason
    assert len(world.sync(CAREFUL).dropped.withheld) == 1
    assert (world.sync(Wishes(prune=True)).dropped.removed, len(texts(world))) == (5, 2)


def test_a_file_that_cannot_be_read_keeps_what_came_from_it(world: World) -> None:
    many(world, 4)
    world.rows("r.jsonl", [{"_id": str(n), "text": f"{ENGINES} {n}."} for n in range(4)])
    world.sync()
    world.text("0.txt", "\x00")
    world.text("r.jsonl", '{"_id": "0", "text": "Mended."}\n{"_id": "1", "text"\n')
    done = world.sync(CAREFUL)
    assert len(world.problems) == 2
    assert (done.dropped.replaced, done.dropped.removed) == (1, 0)
    assert len(texts(world)) == 8 and "Mended." in texts(world)


def test_equal_documents_are_stored_once_and_stay_as_long_as_any_of_their_files(world: World) -> None:
    world.text("a/x.txt", APPLES)
    world.text("b/x.txt", APPLES)
    world.text("c.txt", ENGINES)
    world.text("d.txt", PLANETS)
    world.sync()
    assert sources(world) == {"a/x.txt", "c.txt", "d.txt"}
    before = world.encoder.passages
    world.remove("a/x.txt")
    world.sync(CAREFUL)
    assert sources(world) == {"b/x.txt", "c.txt", "d.txt"}
    assert world.encoder.passages == before
    world.remove("b/x.txt")
    world.sync(CAREFUL)
    assert sources(world) == {"c.txt", "d.txt"}


def test_no_text_is_embedded_twice_whatever_document_says_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexes.sync.filling.WINDOW", 2)
    monkeypatch.setattr("indexes.sync.filling.BATCH", 2)
    world.rows("r.jsonl", [{"_id": str(n), "text": (APPLES, ENGINES, PLANETS)[n % 3]} for n in range(40)])
    done = world.sync()
    assert (done.new, done.embedded, done.reused, world.encoder.passages) == (40, 3, 37, 3)
    world.rows("s.jsonl", [{"_id": "x", "text": ENGINES}])
    assert (world.sync().embedded, world.encoder.passages) == (0, 3)
    assert len({point.dense.tobytes() for point in world.store.points.values()}) == 3


def test_known_vectors_are_the_encoders_own_where_an_adapter_has_moved_those_that_are_stored(world: World) -> None:
    world.text("a.txt", ENGINES)
    world.sync()
    adapter = Linear(np.zeros((64, 64), np.float32), passage=np.eye(64, dtype=np.float32)[::-1].copy())
    world.slice().adapt(adapter, {})
    world.text("b/a.txt", f"{ENGINES} ")  # says the same, in another document
    world.text("c.txt", APPLES)
    before = world.encoder.passages
    done = world.sync()
    assert (done.reused, world.encoder.passages - before) == (1, len(world.passages()) - 2)
    for i, passage in world.passages().items():
        own = WordEncoder().encode_passages([passage.searchable])
        np.testing.assert_allclose(world.slice().encoded([i])[i], own[0], atol=1e-6)
        np.testing.assert_allclose(world.store.points[i].dense, adapter.passages([i], own)[0], atol=1e-6)


def test_another_way_of_splitting_leaves_no_passage_of_the_one_before(world: World) -> None:
    world.text("a.txt", APPLES)
    world.sync()
    world.splitter = Splitter(size=6)
    done = world.sync()
    assert (done.new, done.dropped.replaced) == (1, 0)
    assert "".join(sorted(texts(world), key=APPLES.index)).replace(" ", "") == APPLES.replace(" ", "")


@pytest.mark.parametrize("damage", ["missing", "damaged", "empty", "another format"])
def test_without_its_journal_a_slice_is_followed_all_the_same(world: World, damage: str) -> None:
    many(world, 4)
    world.rows("r.jsonl", [{"_id": "1", "text": PLANETS}, {"text": APPLES}])
    world.sync()
    file, before = world.home / FILE, world.encoder.passages
    if damage == "missing":
        file.unlink()
    elif damage == "another format":
        with sqlite3.connect(file) as rows:
            rows.execute(f"PRAGMA user_version = {FORMAT + 1}")
    else:
        file.write_bytes(b"" if damage == "empty" else b"SQLite format 3\x00" + b"no database" * 100)
    world.text("0.txt", f"{ENGINES} Another.")
    world.rows("r.jsonl", [{"_id": "1", "text": f"{PLANETS} {APPLES}"}])
    done = world.sync(CAREFUL)
    assert (done.dropped.replaced, done.dropped.removed) == (2, 1)
    assert world.encoder.passages - before == done.embedded <= 3
    assert len({p.document_id for p in world.passages().values()}) == 5
    assert world.sync(CAREFUL).new == 0


def test_what_others_did_to_the_store_is_noticed(world: World) -> None:
    many(world, 4)
    world.sync()
    ids = sorted(world.store.points)
    world.store.delete(ids[:1])
    world.text("4.txt", f"{ENGINES} Number 4.")
    done = world.sync(CAREFUL)
    assert (done.new, done.embedded) == (2, 2)
    assert len(texts(world)) == 5


def test_documents_that_were_deleted_come_back_with_their_file(world: World) -> None:
    many(world, 4)
    world.sync()
    (document,) = {p.document_id for p in world.passages().values() if "Number 2" in p.text}
    assert world.slice().remove([document]) == 1
    assert len(texts(world)) == 3
    done = world.sync(CAREFUL)
    assert (done.documents, done.new, len(texts(world))) == (4, 1, 4)


def test_a_journal_that_cannot_be_written_is_an_error_that_says_so(world: World) -> None:
    (world.home / FILE).mkdir()
    with pytest.raises(StoreError, match="journal"):
        world.sync()


def test_an_error_of_the_encoder_surfaces_as_it_is_and_leaves_no_thread(world: World) -> None:
    many(world)

    def failing(texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
        raise ZeroDivisionError("as it is")

    world.encoder.encode_passages = failing  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError, match="as it is"):
        world.sync()
    assert not [thread for thread in threading.enumerate() if thread.name == "symposia-ahead"]


def test_the_journal_counts_what_documents_repeat(world: World) -> None:
    world.rows("r.jsonl", [{"_id": str(n), "text": (APPLES, PLANETS, f"{ENGINES} {n}.")[min(n, 2)]} for n in range(5)])
    world.rows("s.jsonl", [{"_id": "x", "text": APPLES}])
    world.sync()
    journal = Journal.of(world.home, world.store)  # type: ignore[arg-type]
    assert journal.repeated() == 2
    journal.close()


def test_documents_are_acknowledged_once_with_the_batch_that_completes_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexes.sync.filling.BATCH", 2)
    world.splitter = Splitter(size=6)
    world.text("long.txt", f"{APPLES} {PLANETS}")
    many(world, 4)
    reports: list[tuple[str, ...]] = []

    def check(done: Done) -> None:
        here = {passage.id for passage in world.passages().values()}
        for document in done.stored:
            assert {i for i, d in passages.items() if d == document} <= here
        reports.append(done.stored)

    world.sync()
    passages = {i: p.document_id for i, p in world.passages().items()}
    world.store.points.clear()
    world.sync(report=check)
    acknowledged = [document for report in reports for document in report]
    assert sorted(acknowledged) == sorted(set(passages.values()))
    assert len([report for report in reports if report]) > 1
