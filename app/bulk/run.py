"""Bulk adding: cut the documents into shards of texts, have them encoded, and add the documents with the vectors at hand.

The last step is that of ``symposia add``, with an encoder that looks the vectors up. So ids, terms, journal and manifest are
made in one place, and what was interrupted or changed on the way is mended by the same rules.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.bulk.prepared import Prepared
from app.bulk.shards import Shards
from app.bulk.workers import MakeEncoder, encode
from app.library import AddProgress, AddReport, Library
from indexes.passage import Passage
from indexes.slice import check_name
from retrievers.panel import Panel

if TYPE_CHECKING:
    from app.settings import Settings
    from indexes.readers.problem import Problem

SIZE = 4096  # passages of a shard


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How far the encoding has come.

    Parameters
    ----------
    shards, done
        How many are to be encoded, and how many are.
    texts
        Encoded so far.
    seconds
        Since the encoding began.
    pid
        Of the worker that did the last one.
    """

    shards: int
    done: int
    texts: int
    seconds: float
    pid: int

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at this rate; ``None`` where nothing is known of it."""
        return self.seconds / self.done * (self.shards - self.done) if self.done else None


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What was done.

    Parameters
    ----------
    shards
        Cut from passages that the slice did not have.
    reused
        Those of them that an earlier run had encoded.
    texts
        Encoded by the workers.
    workers
        Processes that encoded any of them, those that died and those that took their place included.
    encoding
        Seconds that it took.
    added
        See ``AddReport``.
    here
        Passages that were in no shard, and were encoded while adding.
    """

    shards: int
    reused: int
    texts: int
    workers: int
    encoding: float
    added: AddReport
    here: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(replace(self, added=None)), "added": self.added.to_dict()}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Work:
    """Who encodes, and where.

    Parameters
    ----------
    folder
        Of the shards; removed when everything was added.
    make_encoder
        Makes the panel's encoder in a worker; must be picklable.
    workers, address
        See ``app.bulk.workers.encode``.
    size
        Passages of a shard.
    """

    folder: Path
    make_encoder: MakeEncoder
    workers: int
    address: str = ""
    size: int = SIZE


def bulk(
    panel: Panel,
    settings: Settings,
    paths: Sequence[Path],
    expert: str,
    work: Work,
    description: str = "",
    *,
    replacing: bool = True,
    prune: bool = False,
    on_encoded: Callable[[BulkProgress], None] | None = None,
    on_progress: Callable[[AddProgress], None] | None = None,
    on_problem: Callable[[Problem], None] | None = None,
) -> BulkReport:
    """Add documents as ``Library.add_paths`` does, after many processes have encoded what the slice does not have.

    Run it again after an interruption: shards that are done are not encoded again.

    Parameters
    ----------
    panel
        Says where the slices lie, and what encodes. It must not be open yet where slices have one owner at a time.
    paths, expert, description, replacing, prune, on_progress, on_problem
        See ``Library.add_paths``.
    work
        See ``Work``.
    on_encoded
        Called after each shard.

    Raises
    ------
    SymposiaError
        As ``Library.add_paths`` and ``app.bulk.workers.encode``.
    """
    check_name(expert)
    prepared = Prepared(panel.encoder)
    shards = Shards(work.folder, prepared.fingerprint)
    with closing(Panel(panel.folder, prepared, panel.open_store)) as own:
        planned = list(_planned(own, settings, paths, expert, shards, work.size))
        todo = [key for key, done in planned if not done]
        texts, processes, seconds = _encoded(shards, todo, work, on_encoded)
        prepared.use(shards, [key for key, _ in planned])
        added = Library(own, settings).add_paths(
            paths,
            expert,
            description,
            replacing=replacing,
            prune=prune,
            on_progress=on_progress,
            on_problem=on_problem,
        )
    shards.clear(key for key, _ in planned)
    return BulkReport(len(planned), len(planned) - len(todo), texts, processes, seconds, added, prepared.encoded)


def _encoded(
    shards: Shards, keys: Sequence[str], work: Work, report: Callable[[BulkProgress], None] | None
) -> tuple[int, int, float]:
    """How many texts were encoded, by how many processes, and the seconds that it took."""
    texts, processes, started = 0, set[tuple[str, int]](), time.perf_counter()
    done = encode(shards, keys, work.make_encoder, workers=work.workers, address=work.address)
    for number, each in enumerate(done, start=1):
        texts += each.texts
        processes.add((each.host, each.pid))
        if report is not None:
            report(BulkProgress(len(keys), number, texts, time.perf_counter() - started, each.pid))
    return texts, len(processes), time.perf_counter() - started


def _planned(
    panel: Panel, settings: Settings, paths: Sequence[Path], expert: str, shards: Shards, size: int
) -> Iterator[tuple[str, bool]]:
    """Write the texts of each shard that has any passage which the slice lacks; its name, and whether it is encoded."""
    panel.open()
    known = panel.experts.get(expert)
    for batch in _batches(_passages(settings, paths), size):
        there = known.slice.store.existing([passage.id for passage in batch]) if known else set()
        lacking = list(dict.fromkeys(passage.searchable for passage in batch if passage.id not in there))
        if not lacking:
            continue
        key = shards.key([passage.searchable for passage in batch])
        done = shards.holds(key, lacking)
        if not done:
            shards.write_texts(key, lacking)
        yield key, done


def _passages(settings: Settings, paths: Sequence[Path]) -> Iterator[Passage]:
    """As they are added. What cannot be read is reported then."""
    from indexes.readers.files import read
    from indexes.splitter import Splitter

    splitter = Splitter(size=settings.split.size, overlap=settings.split.overlap)
    documents = chain.from_iterable(read(path, on_problem=_later) for path in paths)
    return chain.from_iterable(map(splitter.split, documents))


def _later(problem: Problem) -> None:
    """Adding reads the same files, and reports them."""


def _batches(items: Iterable[Passage], size: int) -> Iterator[list[Passage]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
