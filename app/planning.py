"""What adding would do: the same run on a copy of the journal in memory, with nothing embedded and nothing written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.adding import AHEAD, ahead_of, cutting_of
from indexes.readers.problem import Problem
from indexes.slice import check_name
from indexes.sync.ahead import Ahead
from indexes.sync.journal import Journal
from indexes.sync.reading import Reading
from indexes.sync.sync import RATE, Done, Sync, Wishes

if TYPE_CHECKING:
    from app.settings import Settings
    from indexes.encoders.base import Encoder, Progress, Vectors
    from indexes.passage import Passage
    from indexes.slice import Slice
    from retrievers.panel import Panel

TRIED = 48  # texts that are encoded to see how long it takes


@dataclass(frozen=True, slots=True)
class AddPlan:
    """What adding would do.

    Parameters
    ----------
    documents, passages
        What there is.
    new, changed, unchanged
        Documents: never seen, other than before, and as they were.
    removed
        Documents that would go without a later version.
    embedded
        Passages that would be embedded.
    reused
        New passages that say what another one says, and would take its vector.
    seconds
        That embedding would take.
    measured
        Whether that follows from texts that were encoded now; else from the pace of the last time.
    problems, withheld
        See ``AddReport``.
    """

    expert: str
    documents: int
    passages: int
    new: int
    changed: int
    unchanged: int
    removed: int
    embedded: int
    reused: int
    seconds: float
    measured: bool
    problems: tuple[Problem, ...] = ()
    withheld: tuple[Problem, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        told = {"problems": self.problems, "withheld": self.withheld}
        numbers = {name: getattr(self, name) for name in self.__slots__ if name not in told}
        return {**numbers, **{name: [problem.to_dict() for problem in found] for name, found in told.items()}}


def plan(
    panel: Panel,
    settings: Settings,
    paths: Sequence[Path],
    expert: str,
    wishes: Wishes,
    on_progress: Callable[[Done], None] = lambda _: None,
) -> AddPlan:
    """What ``Library.add_paths`` would do now.

    Raises
    ------
    InputError
        A path that does not exist, or a name that cannot be an expert's.
    """
    check_name(expert)
    panel.admit(expert)
    problems: list[Problem] = []
    slice_ = panel.slice(expert, "", ()) if panel.has(expert) else None
    counting, journal = _Counting(panel.encoder), _copied(slice_)
    cutting, ended = cutting_of(settings, sample=0), threading.Event()
    cutting.journal = journal
    reading = Reading(paths, cutting, problems.append)
    stage = Ahead(reading, AHEAD, ended, ahead_of)
    try:
        journal.start()
        sync = Sync(_Paper(slice_), counting, journal, cutting, wishes, ended)  # type: ignore[arg-type]
        sync.fill(stage, on_progress, lambda: False)
        sync.follow(reading.roots, reading.unreadable)
        rate = journal.fact(RATE)
    finally:
        stage.close()
        journal.close()
        if slice_ is not None and expert not in panel.experts:
            slice_.close()
    done, dropped = sync.done, sync.done.dropped
    seconds, measured = counting.seconds(rate)
    return AddPlan(
        expert,
        done.documents,
        done.passages,
        max(0, done.new - dropped.replaced),
        min(done.new, dropped.replaced),
        done.documents - done.new,
        dropped.removed,
        done.embedded,
        done.reused,
        seconds,
        measured,
        tuple(problems),
        dropped.withheld,
    )


def _copied(slice_: Slice | None) -> Journal:
    return Journal(None) if slice_ is None else Journal.copy(slice_.folder, slice_.store)


class _Paper:
    """Stands where a slice does; whatever is written to it is forgotten."""

    def __init__(self, slice_: Slice | None) -> None:
        self.store = self
        self._slice = slice_

    def existing(self, ids: Sequence[str]) -> set[str]:
        return set() if self._slice is None else self._slice.store.existing(ids)

    def encoded(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Whatever the journal knows of is there, or would be."""
        return {i: np.zeros(1, dtype=np.float32) for i in ids}

    def write(self, passages: Sequence[Passage], vectors: Vectors, encoder: Encoder) -> None: ...

    def discard(self, document_ids: Sequence[str]) -> None: ...

    def discard_passages(self, ids: Sequence[str]) -> None: ...

    def rename(self, sources: Mapping[str, str]) -> None: ...


class _Counting:
    """Stands where the encoder does: counts characters, and keeps some texts, of all lengths there are."""

    def __init__(self, encoder: Encoder) -> None:
        self.fingerprint = _Flat()
        self._encoder = encoder
        self._characters = 0
        self._kept: list[str] = []

    def encode_passages(self, texts: Sequence[str], _on_progress: Progress | None = None) -> Vectors:
        self._characters += sum(map(len, texts))
        self._kept += texts[:: max(1, len(texts) // 8)]
        if len(self._kept) > 4 * TRIED:
            self._kept = self._kept[::2]
        return np.zeros((len(texts), 1), dtype=np.float32)

    def seconds(self, rate: float | None) -> tuple[float, bool]:
        """How long encoding all of it takes, and whether that was measured now; ``rate`` is in characters a second."""
        if rate or not self._kept:
            return self._characters / rate if rate else 0.0, False
        tried = self._kept[:: max(1, len(self._kept) // TRIED)]
        self._encoder.encode_passages(tried[:2])  # what is loaded at first
        started = time.perf_counter()
        self._encoder.encode_passages(tried)
        return (time.perf_counter() - started) / sum(map(len, tried)) * self._characters, True


class _Flat:
    dimension = 1
