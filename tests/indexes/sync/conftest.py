from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexes.passage import Passage
from indexes.readers.problem import Problem
from indexes.slice import Slice
from indexes.splitter import Splitter
from indexes.store.base import Point, Vectors, counted
from indexes.sync.ahead import Ahead
from indexes.sync.cutting import Cutting
from indexes.sync.journal import Journal
from indexes.sync.reading import Reading
from indexes.sync.sync import Done, Sync, Wishes
from tests.fakes import WordEncoder

MOMENTS = count(1_600_000_000_000_000_000, 1_000_000_007)


class Killed(BaseException):
    """Ends a run as a signal would."""


@dataclass
class Fuse:
    """Ends the run at the nth time that something is written; before it, or after."""

    left: int | None = None
    after: bool = False

    def burn(self, *, after: bool) -> None:
        if self.left is None or after != self.after:
            return
        self.left -= 1
        if self.left < 0:
            raise Killed


@dataclass
class DictStore:
    """A store in memory, of which only what was flushed is there again after ``reopened``."""

    fuse: Fuse
    points: dict[str, Point] = field(default_factory=dict)
    durable: dict[str, Point] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def reopened(self, *, lost: bool) -> None:
        self.points = dict(self.durable if lost else self.points)

    def upsert(self, points: Sequence[Point]) -> None:
        self.fuse.burn(after=False)
        with self.lock:
            self.points.update({point.id: point for point in points})
        self.fuse.burn(after=True)

    def update_vectors(self, ids: Sequence[str], vectors: Vectors) -> None:
        with self.lock:
            for i, vector in zip(ids, vectors, strict=True):
                if i in self.points:
                    old = self.points[i]
                    self.points[i] = Point(i, vector, old.sparse, old.payload)

    def delete(self, ids: Sequence[str]) -> None:
        self.fuse.burn(after=False)
        with self.lock:
            for i in ids:
                self.points.pop(i, None)
        self.fuse.burn(after=True)

    def existing(self, ids: Sequence[str]) -> set[str]:
        with self.lock:
            return {i for i in ids if i in self.points}

    def vectors(self, ids: Sequence[str]) -> Vectors:
        return np.array([self.points[i].dense for i in ids], dtype=np.float32)

    def fetch(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        return [dict(self.points[i].payload) for i in ids]

    def scan(self, batch: int = 1000) -> Iterator[tuple[tuple[str, ...], Vectors]]:
        if self.points:
            ids = tuple(sorted(self.points))
            yield ids, self.vectors(ids)

    def payloads(
        self, fields: Sequence[str], where: Mapping[str, Sequence[str]] | None = None, batch: int = 1000
    ) -> Iterator[tuple[tuple[str, ...], list[dict[str, Any]]]]:
        with self.lock:
            chosen = [
                (i, {name: self.points[i].payload[name] for name in fields})
                for i in sorted(self.points)
                if all(self.points[i].payload[name] in set(values) for name, values in (where or {}).items())
            ]
        if chosen:
            yield tuple(i for i, _ in chosen), [payload for _, payload in chosen]

    def term_counts(self) -> Any:
        return counted([[point.sparse.indices for point in self.points.values()]])

    def count(self) -> int:
        return len(self.points)

    def flush(self) -> None:
        self.fuse.burn(after=False)
        with self.lock:
            self.durable = dict(self.points)
        self.fuse.burn(after=True)

    def optimize(self) -> None: ...

    def close(self) -> None: ...


@dataclass
class World:
    """A folder of documents, and a slice that follows it."""

    home: Path
    folder: Path
    fuse: Fuse = field(default_factory=Fuse)
    encoder: WordEncoder = field(default_factory=WordEncoder)
    splitter: Splitter = field(default_factory=lambda: Splitter(size=12))
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = DictStore(self.fuse)
        Slice.create(self.home, "s", "", self.encoder, lambda *_: self.store, [])  # type: ignore[arg-type, return-value]

    def text(self, name: str, text: str) -> None:
        self._write(self.folder / name, text)

    def rows(self, name: str, rows: Sequence[Mapping[str, str]]) -> None:
        self._write(self.folder / name, "".join(json.dumps(row) + "\n" for row in rows))

    def remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def slice(self) -> Slice:
        return Slice.open(self.home, self.encoder, lambda *_: self.store)  # type: ignore[arg-type, return-value]

    def sync(
        self,
        wishes: Wishes | None = None,
        paths: Sequence[Path] = (),
        report: Callable[[Done], None] = lambda _: None,
    ) -> Done:
        self.problems = []
        slice_, ended = self.slice(), threading.Event()
        journal = Journal.of(slice_.folder, slice_.store)
        cutting = Cutting(self.splitter, journal)
        reading = Reading(paths or [self.folder], cutting, self.problems.append)
        stage = Ahead(reading, 100, ended)
        try:
            journal.start()
            sync = Sync(slice_, self.encoder, journal, cutting, wishes or Wishes(prune=True), ended)
            sync.sweep()
            assert sync.fill(stage, report, lambda: False)
            sync.follow(reading.roots, reading.unreadable)
            if sync.changed:
                slice_.counted()
            sync.measured()
            assert journal.fits(slice_.store.count())
            return sync.done
        finally:
            stage.close()
            journal.close()

    def passages(self) -> dict[str, Passage]:
        return {i: Passage.from_dict({"id": i, **point.payload}) for i, point in self.store.points.items()}

    def _write(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        moment = next(MOMENTS)
        os.utime(path, ns=(moment, moment))


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps tell at once: every write of ``World`` has a time of its own."""
    monkeypatch.setattr("indexes.sync.reading.SETTLING", -(10**20))


@pytest.fixture
def world(tmp_path: Path, trusting: None) -> World:
    return World(tmp_path / "slice", tmp_path / "documents")
