"""Whatever happens to the documents, and wherever a run is ended: the slice ends as if all had been added afresh."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from indexes.splitter import Splitter
from indexes.sync import filling
from indexes.sync.journal import Journal
from tests.indexes.sync.conftest import Fuse, Killed, World

TEXTS = (
    "Apple trees blossom in April. They carry fruit from August. Pears need a second tree nearby for pollination.",
    "Apple trees blossom in April. They carry fruit from August. Cherries split when heavy rain falls before harvest.",
    "A diesel engine ignites its fuel by compression alone.",
    "Neptune was found by calculation before it was seen. Titan has lakes of methane.",
)
NAMES = ("a.txt", "b.txt", "sub/a.txt", "a.rst", "sub/c.txt")
FILES = ("r.jsonl", "sub/q.jsonl")

row = st.fixed_dictionaries(
    {"text": st.sampled_from(TEXTS)}, optional={"_id": st.sampled_from("12"), "title": st.just("T")}
)
write = st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(TEXTS))
rows = st.tuples(st.just("rows"), st.sampled_from(FILES), st.lists(row, min_size=1, max_size=3))
remove = st.tuples(st.just("remove"), st.sampled_from(NAMES + FILES))
add = st.tuples(st.just("add"))
broken = st.tuples(st.just("broken"), st.integers(0, 25), st.booleans(), st.booleans())
resplit = st.tuples(st.just("resplit"), st.sampled_from((8, 12, 30)))
steps = st.lists(st.one_of(write, write, rows, remove, add, broken, broken, resplit), max_size=14)


@contextmanager
def worlds() -> Iterator[tuple[World, World]]:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexes.sync.reading.SETTLING", -(10**20))
        patch.setattr(filling, "WINDOW", 5)
        patch.setattr(filling, "BATCH", 2)
        world = World(Path(name) / "slice", Path(name) / "documents")
        patch.setattr(Journal, "writing", fused(Journal.writing, world.fuse))
        yield world, World(Path(name) / "fresh", Path(name) / "documents")


Writing = Callable[[Journal], AbstractContextManager[sqlite3.Connection]]


def fused(writing: Writing, fuse: Fuse) -> Writing:
    """``Journal.writing``, which may end the run before anything is committed, or after."""

    @contextmanager
    def wrapped(self: Journal) -> Iterator[sqlite3.Connection]:
        outermost = not self._rows.in_transaction
        with writing(self) as found:
            yield found
            if outermost:
                fuse.burn(after=False)
        if outermost:
            fuse.burn(after=True)

    return wrapped


def play(world: World, step: tuple) -> None:
    kind, *values = step
    if kind == "write":
        world.text(*values)
    elif kind == "rows":
        world.rows(*values)
    elif kind == "remove":
        world.remove(*values)
    elif kind == "resplit":
        world.splitter = Splitter(size=values[0])
    elif kind == "add":
        world.sync()
    else:
        left, after, lost = values
        world.fuse.left, world.fuse.after = left, after
        try:
            world.sync()
        except Killed:
            pass
        finally:
            world.fuse.left = None
            world.store.reopened(lost=lost)


def same(world: World, fresh: World) -> None:
    fresh.splitter = world.splitter
    fresh.sync()
    found, wanted = world.passages(), fresh.passages()
    assert found.keys() == wanted.keys()
    sources = {}
    for path in sorted(world.folder.rglob("*")):
        sources[str(path)] = path.read_bytes() if path.is_file() else b""
    for i, passage in found.items():
        assert (passage.text, passage.title, passage.key) == (wanted[i].text, wanted[i].title, wanted[i].key)
        assert passage.source in sources
        assert sources[passage.source].decode().replace("\\n", "\n").find(passage.text.split(".")[0]) >= 0
        np.testing.assert_allclose(world.store.points[i].dense, fresh.store.points[i].dense, atol=1e-6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
@example([("write", "a.txt", TEXTS[0]), ("write", "sub/a.txt", TEXTS[0]), ("add",), ("remove", "a.txt")])
@example([("write", "a.txt", TEXTS[0]), ("broken", 2, True, False), ("remove", "a.txt")])
@example([("write", "a.txt", TEXTS[0]), ("broken", 3, True, False), ("remove", "a.txt")])
@example([("write", "a.txt", TEXTS[0]), ("broken", 4, True, False), ("remove", "a.txt")])
@example([("write", "a.txt", TEXTS[0]), ("broken", 5, True, False), ("remove", "a.txt")])
def test_the_slice_ends_as_if_all_had_been_added_afresh(steps: list[tuple]) -> None:
    with worlds() as (world, fresh):
        for step in steps:
            play(world, step)
        world.sync()
        same(world, fresh)
        before = world.encoder.passages
        again = world.sync()
        assert (again.new, again.embedded, again.dropped.removed, again.dropped.replaced) == (0, 0, 0, 0)
        assert world.encoder.passages == before
        shutil.rmtree(world.folder)
