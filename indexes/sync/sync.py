"""One run: what was read is embedded and stored, the journal follows, and what is gone is removed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from indexes.encoders.base import Encoder, Vectors
from indexes.sync import following
from indexes.sync.ahead import Ahead
from indexes.sync.cutting import Cutting
from indexes.sync.filling import DEPTH, Batch, Filling, Window, windows
from indexes.sync.following import NOTHING, Dropped
from indexes.sync.given import Finished, Given, Item, Unread
from indexes.sync.journal import Journal

if TYPE_CHECKING:
    from indexes.slice import Slice

AT_ONCE = 500  # documents that are removed, or renamed, together
RATE = "characters a second"
REPEATED = "passages that repeat another document"
DIRTY = "changed and not measured"
TELLING = 20_000  # characters from which on their rate says something


class Stopped(Exception):  # noqa: N818 (somebody wished it)
    """Raised to end a run early."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a run does about documents that are there already.

    Parameters
    ----------
    replacing
        Whether earlier versions, and what is gone, are removed.
    prune
        Whether that is also done where it is more than half of everything.
    """

    replacing: bool = True
    prune: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """How far a run has come.

    Parameters
    ----------
    documents
        Read, or known to be what they were; repetitions included.
    new
        Those of which any passage was stored.
    passages
        Stored, or found to be there.
    embedded
        Texts that were encoded.
    reused
        Passages that were stored with the vector of a passage that says the same.
    stored
        Ids of the documents that were completed since the last report.
    dropped
        Earlier versions and what is gone.
    stopped
        Whether somebody ended it early.
    """

    documents: int = 0
    new: int = 0
    passages: int = 0
    embedded: int = 0
    reused: int = 0
    stored: tuple[str, ...] = ()
    dropped: Dropped = NOTHING
    stopped: bool = False


class Sync:
    """Brings a slice up to date with what was read.

    Parameters
    ----------
    slice_
        Open.
    encoder
        The slice's.
    journal
        The slice's, started (see ``Journal.start``).
    cutting
        Where the items come from; told of what is stored.
    wishes
        See there.
    ended
        Set when this run ends, for the stages before it.
    """

    def __init__(
        self,
        slice_: Slice,
        encoder: Encoder,
        journal: Journal,
        cutting: Cutting,
        wishes: Wishes,
        ended: threading.Event,
    ) -> None:
        self.done = Done()
        self.changed = bool(journal.fact(DIRTY))
        self._slice = slice_
        self._encoder = encoder
        self._journal = journal
        self._cutting = cutting
        self._wishes = wishes
        self._ended = ended
        self._written: set[str] = set()
        self._left: dict[str, int] = {}
        self._pace = (0, 0.0)

    def fill(self, items: Iterable[Item], report: Callable[[Done], None], cancelled: Callable[[], bool]) -> bool:
        """Store what was read; whether all of it was. Each batch is durable when it is reported."""
        filling = Filling(self._encoder, self._slice.store.existing, self._cached, self._ended)
        stage = Ahead(filling.batches(windows(items, self._rewrites)), DEPTH, self._ended)

        def look() -> None:
            if cancelled():
                raise Stopped

        try:
            while True:
                look()
                batch = stage.take(look)
                if batch is None:
                    return True
                self._store(batch)
                report(self.done)
        except Stopped:
            begun = len(self._written)
            self.done = replace(
                self.done, documents=self.done.documents + begun, new=self.done.new + begun, stopped=True
            )
            return False
        finally:
            stage.close()
            self._keep_pace()

    def follow(self, roots: Sequence[str], unreadable: Sequence[Path]) -> None:
        """Remove what is gone, once everything was read."""
        if self._wishes.replacing:
            self._drop(following.versions(self._journal))
            following.moved_away(self._journal)
            for root in roots:
                self._drop(following.vanished(self._journal, root, unreadable, prune=self._wishes.prune))
        self.sweep()

    def sweep(self) -> None:
        """Remove documents that nothing claims, and name those anew whose source has gone while another has them."""
        gone = following.unclaimed(self._journal)
        for start in range(0, len(gone), AT_ONCE):
            self._touch()
            self._slice.discard(gone[start : start + AT_ONCE])
            self._journal.forget_documents(gone[start : start + AT_ONCE])
        moved = iter(following.moved(self._journal).items())
        while part := dict(islice(moved, AT_ONCE)):
            self._touch()
            self._slice.rename(part)
            self._journal.renamed(part)

    def measured(self) -> None:
        """The expert has been measured since the slice was changed."""
        if self.changed:
            self._journal.keep(REPEATED, self._journal.repeated())
            self._journal.keep(DIRTY, 0)
            self.changed = False

    @property
    def repeated(self) -> int:
        """Passages of the slice that say what one of another document says, as they were when it was last measured."""
        return int(self._journal.fact(REPEATED) or 0)

    def _touch(self) -> None:
        """Note that the slice is about to change, so that its expert is measured anew, by the next run if not by this one."""
        if not self.changed:
            self._journal.keep(DIRTY, 1)
            self.changed = True

    def _store(self, batch: Batch) -> None:
        window, done = batch.window, self.done
        if batch.first:
            self._journal.begin(window.documents, batch.texts)
            self._written, self._left = set(), dict(batch.awaited)
            done = replace(done, passages=done.passages + window.given - batch.fresh)
        if batch.passages:
            self._touch()
            self._slice.write(batch.passages, batch.vectors, self._encoder)
        self._written.update(passage.document_id for passage in batch.passages)
        self._pace = (self._pace[0] + batch.characters, self._pace[1] + batch.seconds)
        self.done = replace(
            done,
            passages=done.passages + len(batch.passages),
            embedded=done.embedded + batch.encoded,
            reused=done.reused + len(batch.passages) - batch.encoded,
            stored=self._completed(batch),
        )
        if batch.last:
            self._finish(window)

    def _completed(self, batch: Batch) -> tuple[str, ...]:
        """Documents that have all their passages in the store since this batch."""
        found = [each.id for each in batch.window.documents if each.id not in batch.awaited] if batch.first else []
        for passage in batch.passages:
            self._left[passage.document_id] -= 1
            if not self._left[passage.document_id]:
                found.append(passage.document_id)
        return tuple(found)

    def _finish(self, window: Window) -> None:
        """The passages of the window are stored: so are its documents, and files may have been read to their ends."""
        documents = window.documents
        stale = self._journal.stale(documents)
        if stale:
            self._touch()
            self._slice.discard_passages(stale)
        with self._journal.writing():
            self._journal.finish(documents, window.rewritten, stale)
            self._journal.seen([item for item in window.items if isinstance(item, Unread)])
            for item in window.items:
                if isinstance(item, Finished):
                    self._read(item)
        unread = sum(item.documents for item in window.items if isinstance(item, Unread))
        ids = tuple(each.id for each in documents)
        self._cutting.stored(ids)
        self.done = replace(
            self.done,
            documents=self.done.documents + len(documents) + unread,
            new=self.done.new + len(self._written),
        )
        self._written = set()

    def _read(self, file: Finished) -> None:
        dropped = NOTHING
        if self._wishes.replacing:
            dropped = following.earlier(self._journal, file, prune=self._wishes.prune)
        settled = not following.stale(self._journal, file)
        self._journal.read(file, settled=settled)
        self._drop(dropped)

    def _drop(self, dropped: Dropped) -> None:
        self.done = replace(self.done, dropped=self.done.dropped + dropped)

    def _rewrites(self, given: Given) -> bool:
        """Whether a document whose passages are there was cut otherwise than it is now."""
        return self._journal.recipe(given.id) not in {"", given.recipe}

    def _cached(self, texts: Sequence[bytes]) -> Mapping[bytes, Vectors]:
        """Vectors of texts that some stored passage says."""
        found = self._journal.ids_with(texts)
        vectors = self._slice.encoded(sorted(found.values()))
        return {text: vectors[i] for text, i in found.items() if i in vectors}

    def _keep_pace(self) -> None:
        characters, seconds = self._pace
        if characters >= TELLING:
            self._journal.keep(RATE, characters / seconds)
