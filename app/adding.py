"""How documents get into an expert's slice: read ahead, brought up to date, and the expert measured and seated again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from indexes.errors import StoreError
from indexes.readers.problem import OnProblem, Problem, printable, unusable
from indexes.sync.ahead import Ahead
from indexes.sync.cutting import Cutting
from indexes.sync.given import Item, Origin, passages_in, weight
from indexes.sync.journal import Journal
from indexes.sync.reading import Reading
from indexes.sync.sync import Done, Stopped, Sync, Wishes

if TYPE_CHECKING:
    from app.settings import Settings
    from indexes.passage import Document
    from indexes.slice import Slice
    from retrievers.panel import Panel

SAMPLE = 1000
AHEAD = 20_000  # passages that are read before they are embedded, so that it is known how many are still to come
LOCK = "adding.lock"
AGAIN = 0.5  # seconds after which whoever waits for another run to end looks whether somebody said stop

Cancelled = Callable[[], bool]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """What is to be added.

    Parameters
    ----------
    items
        Drawn in a thread of their own.
    cutting
        Makes them.
    reading
        Where they come from, unless they were handed over.
    """

    items: Iterable[Item]
    cutting: Cutting
    reading: Reading | None = None


def cutting_of(settings: Settings, *, sample: int) -> Cutting:
    """What splits documents as the settings say."""
    from indexes.splitter import Splitter

    return Cutting(Splitter(size=settings.split.size, overlap=settings.split.overlap), sample=sample)


def handed(documents: Iterable[Document], cutting: Cutting, on_problem: OnProblem) -> Iterator[Item]:
    """Documents from anywhere; one that holds no words is reported and left out, as a reader does it."""
    for document in documents:
        if problem := unusable(document.text):
            named = Path(document.source or document.title or document.key or "A document")
            on_problem(printable(Problem(named, problem, "Leave it out, or put text into it.")))
        else:
            yield cutting.given(document, Origin())


def ahead_of(item: Item) -> int:
    """What an item that was read ahead counts for: nothing is free, be it known already."""
    return max(passages_in(item) + 1, weight(item))


@contextmanager
def _alone(folder: Path, cancelled: Cancelled) -> Iterator[None]:
    """Within it, no other run adds to the slice in ``folder``: each would take what the other has just seen for gone."""
    lock = FileLock(folder / LOCK, is_singleton=False)
    while True:
        try:
            lock.acquire(timeout=AGAIN)
            break
        except Timeout:
            if cancelled():
                raise Stopped from None
    try:
        yield
    finally:
        lock.release()


class Adding:
    """One run of adding to one expert.

    Parameters
    ----------
    panel
        Where the expert sits, or will.
    expert, description
        Its name; and what it knows, where it is new.
    wishes
        About documents that are there already.
    """

    def __init__(self, panel: Panel, expert: str, description: str, wishes: Wishes) -> None:
        panel.admit(expert)
        self.expert = expert
        self.total: int | None = None
        self.repeated = 0
        self._panel = panel
        self._description = description
        self._wishes = wishes
        self._ended = threading.Event()

    def run(self, source: Source, report: Callable[[Done], None], cancelled: Cancelled) -> Done:
        """Add; what was stored before an error or a stop stays, and is not done again."""
        stage = Ahead(self._counted(source), AHEAD, self._ended, ahead_of)
        try:
            slice_, first = None, list[Item]()
            if self._panel.has(self.expert):
                slice_ = self._panel.slice(self.expert, self._description, ())
            else:
                first, stopped = self._peek(stage, source.cutting, cancelled)
                if stopped or not source.cutting.sampled:
                    return Done(stopped=stopped)
                slice_ = self._panel.slice(self.expert, self._description, source.cutting.sampled)
            return self._into(slice_, source, chain(first, stage), report, cancelled)
        finally:
            stage.close()

    def _into(
        self, slice_: Slice, source: Source, items: Iterable[Item], report: Callable[[Done], None], cancelled: Cancelled
    ) -> Done:
        try:
            with _alone(slice_.folder, cancelled), closing(Journal.of(slice_.folder, slice_.store)) as journal:
                journal.start()
                source.cutting.journal = journal
                sync = Sync(slice_, self._panel.encoder, journal, source.cutting, self._wishes, self._ended)
                sync.sweep()
                if sync.fill(items, report, cancelled):
                    reading = source.reading
                    sync.follow(reading.roots if reading else (), reading.unreadable if reading else ())
                self._seat(slice_, sync)
                self.repeated = sync.repeated
        except Stopped:
            return Done(stopped=True)
        finally:
            if self._panel.experts.get(self.expert) is None:  # it was not seated, and nobody else would close it
                slice_.close()
        return sync.done

    def _seat(self, slice_: Slice, sync: Sync) -> None:
        """Measure the expert where its slice has changed, and let it be asked."""
        if sync.changed:
            slice_.counted()
        if sync.changed or self.expert not in self._panel.experts:
            self._panel.refresh(slice_)
        sync.measured()
        try:
            slice_.store.optimize()  # returns at once where nothing pays
        except StoreError as error:  # searches are slower without, and nothing is lost; the next run tries again
            log.warning("The index of %r was not brought up to date: %s %s", self.expert, error.problem, error.fix)

    def _peek(self, stage: Ahead[Item], cutting: Cutting, cancelled: Cancelled) -> tuple[list[Item], bool]:
        """The first items, as many as the sample takes; and whether somebody said stop."""

        def look() -> None:
            if cancelled():
                raise Stopped

        first: list[Item] = []
        try:
            look()
            while len(cutting.sampled) < SAMPLE and (item := stage.take(look)) is not None:
                first.append(item)
                look()
        except Stopped:
            return first, True
        return first, False

    def _counted(self, source: Source) -> Iterator[Item]:
        yield from source.items
        self.total = source.cutting.passages
