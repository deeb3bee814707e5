"""Runs that overlap, that are cut short, and folders that move: what is there must be what the files say."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from indexes.passage import Document, Mark, Passage
from indexes.slice import Slice
from indexes.sync.cutting import Cutting
from indexes.sync.filling import WINDOW, windows
from indexes.sync.given import TYPICAL, Given, Origin
from indexes.sync.journal import Journal
from indexes.sync.reading import Reading
from indexes.sync.sync import Sync, Wishes
from tests.indexes.sync.conftest import Killed, World


def test_a_folder_that_was_moved_is_followed_under_its_new_name(world: World) -> None:
    for name in "abcd":
        world.text(f"{name}.md", f"{name * 5} words of {name * 3}")
    world.sync()
    moved = world.folder.with_name("moved")
    world.folder.rename(moved)
    world.folder = moved
    world.sync()
    world.text("a.md", "completely different now")
    world.remove("b.md")
    world.sync()
    found = world.passages().values()
    assert sorted(passage.text[:5] for passage in found) == ["ccccc", "compl", "ddddd"]
    assert all(passage.source.startswith(str(moved)) for passage in found)


def test_a_run_that_an_older_one_overtakes_loses_no_document(world: World) -> None:
    for name in "abcd":
        world.text(f"{name}.md", f"{name * 5} words of {name * 3}")
    older, newer = begun(world), begun(world)
    read = [list(run.reading) for run in (older, newer)]
    newer.sync.fill(iter(read[1]), lambda _: None, lambda: False)
    older.sync.fill(iter(read[0]), lambda _: None, lambda: False)
    for run in (newer, older):
        run.sync.follow(run.reading.roots, run.reading.unreadable)
        run.journal.close()
    assert len(world.passages()) == 4
    assert world.sync().documents == 4 and len(world.passages()) == 4


class begun:  # noqa: N801 (a run of the world's folder, which somebody else ends)
    def __init__(self, world: World) -> None:
        slice_ = world.slice()
        self.journal = Journal.of(slice_.folder, slice_.store)
        self.journal.start()
        cutting = Cutting(world.splitter, self.journal)
        self.reading = Reading([world.folder], cutting, world.problems.append)
        self.sync = Sync(slice_, world.encoder, self.journal, cutting, Wishes(), threading.Event())


def handed(world: World, document: Document) -> None:
    slice_ = world.slice()
    journal = Journal.of(slice_.folder, slice_.store)
    try:
        journal.start()
        cutting = Cutting(world.splitter, journal)
        sync = Sync(slice_, world.encoder, journal, cutting, Wishes(), threading.Event())
        sync.sweep()
        sync.fill(iter([cutting.given(document, Origin())]), lambda _: None, lambda: False)
        sync.follow((), ())
    finally:
        journal.close()


def under(heading: str, source: str = "s", key: str = "") -> Document:
    return Document("alpha beta gamma", title="T", source=source, key=key, marks=(Mark(0, heading),))


def test_a_document_that_was_being_cut_anew_when_the_process_died_is_cut_anew_by_the_next_run(world: World) -> None:
    handed(world, under("Old"))
    world.fuse.left = 0
    with pytest.raises(Killed):
        handed(world, under("New"))
    world.fuse.left = None
    world.store.reopened(lost=True)
    handed(world, under("New"))
    handed(world, under("New", "t", "k"))
    expected = world.encoder.encode_passages([Passage.of(under("New"), 0, 16).searchable])[0]
    for i, passage in world.passages().items():
        assert passage.place == "New"
        assert np.allclose(world.store.points[i].dense, expected), "the vector of what it said before"


def test_one_of_the_passages_that_say_the_same_lends_its_vector(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.rows("a.jsonl", [{"_id": str(i), "text": "the same text"} for i in range(50)])
    world.sync()
    asked: list[int] = []
    encoded = Slice.encoded

    def counting(slice_: Slice, ids: Sequence[str]) -> dict[str, np.ndarray]:
        asked.append(len(ids))
        return encoded(slice_, ids)

    monkeypatch.setattr(Slice, "encoded", counting)
    world.rows("b.jsonl", [{"_id": "x", "text": "the same text"}])
    assert world.sync().embedded == 0
    assert asked == [1]


def test_a_window_of_very_long_rows_is_bounded_by_their_characters() -> None:
    text = "x" * 1_000_000
    rows = (Given(str(i), "s", str(i), True, Origin(), "r", (Passage(str(i), str(i), text),), 1) for i in range(50))
    window = next(windows(rows, lambda _: False))
    assert sum(len(passage.text) for passage in window.passages.values()) <= WINDOW * TYPICAL + len(text)
