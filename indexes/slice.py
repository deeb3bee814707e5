"""A slice: one body of knowledge, split, embedded and stored, that can be searched."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from indexes.encoders.base import Encoder
from indexes.errors import InputError
from indexes.lexical import Bm25, Bm25Settings, average_length
from indexes.manifest import Manifest, check_fingerprint
from indexes.passage import Passage
from indexes.store.base import Candidates, Point, Store, Vectors

BATCH = 512

OpenStore = Callable[[str, Path, int], Store]


@dataclass(frozen=True, slots=True)
class Added:
    """What ``Slice.add`` did.

    Parameters
    ----------
    passages
        How many were given, repetitions included.
    embedded
        Those that were new; the others were there already and cost nothing.
    """

    passages: int = 0
    embedded: int = 0

    def __str__(self) -> str:
        return f"{self.passages} passages: {self.embedded} new, {self.passages - self.embedded} already there"


class Slice:
    """A named, searchable set of passages in one vector space.

    Parameters
    ----------
    folder
        Holds the manifest, and the shard of an embedded store.
    manifest
        As read or made by ``open`` or ``create``.
    store
        The open store.
    """

    def __init__(self, folder: Path, manifest: Manifest, store: Store) -> None:
        self.folder = folder
        self.manifest = manifest
        self.store = store
        self.bm25 = Bm25(manifest.bm25)

    @property
    def name(self) -> str:
        """The slice's name."""
        return self.manifest.name

    @classmethod
    def open(cls, folder: Path, encoder: Encoder, open_store: OpenStore) -> Slice:
        """Open the slice in ``folder``; a ``SliceError`` where it is missing or built with another encoder."""
        manifest = Manifest.read(folder)
        check_fingerprint(manifest, encoder.fingerprint)
        return cls(folder, manifest, open_store(manifest.name, folder, manifest.fingerprint.dimension))

    @classmethod
    def create(
        cls,
        folder: Path,
        name: str,
        description: str,
        encoder: Encoder,
        open_store: OpenStore,
        sample: Sequence[Passage],
    ) -> Slice:
        """Make an empty slice; the mean length of the ``sample`` fixes BM25's length normalisation."""
        check_name(name)
        bm25 = Bm25Settings(average_length=average_length([p.searchable for p in sample]))
        manifest = Manifest(name, description, encoder.fingerprint, bm25).write(folder)
        return cls(folder, manifest, open_store(name, folder, manifest.fingerprint.dimension))

    def add(
        self, passages: Iterable[Passage], encoder: Encoder, on_progress: Callable[[Added], None] | None = None
    ) -> Added:
        """Embed and store the passages that are not here yet, in batches; each batch is durable when reported.

        Adding the same passages again embeds nothing. After an interruption, run it again: it resumes.
        """
        check_fingerprint(self.manifest, encoder.fingerprint)
        added = Added()
        for batch in _batches(passages, BATCH):
            distinct = {passage.id: passage for passage in batch}
            known = self.store.existing(list(distinct))
            new = [passage for passage in distinct.values() if passage.id not in known]
            if new:
                self.store.upsert(self._points(new, encoder))
                self.store.flush()
            added = replace(added, passages=added.passages + len(batch), embedded=added.embedded + len(new))
            if on_progress is not None:
                on_progress(added)
        self.manifest = replace(self.manifest, passages=self.store.count()).write(self.folder)
        return added

    def search(self, question: str, vector: Vectors, depth: int) -> Candidates:
        """The ``depth`` best passages by meaning and the ``depth`` best by words, with both scores of each."""
        return self.store.candidates(vector, self.bm25.question(question), depth)

    def passages(self, ids: Sequence[str]) -> list[Passage]:
        """Passages by id, in the given order."""
        return [Passage.from_dict({"id": i, **payload}) for i, payload in zip(ids, self.store.fetch(ids), strict=True)]

    def close(self) -> None:
        """Release the store."""
        self.store.close()

    def delete(self) -> None:
        """Remove the slice for good: its points and its folder."""
        self.store.drop()
        shutil.rmtree(self.folder)

    def _points(self, passages: list[Passage], encoder: Encoder) -> list[Point]:
        vectors = encoder.encode_passages([passage.searchable for passage in passages])
        points = []
        for passage, vector in zip(passages, vectors, strict=True):
            payload = passage.to_dict()
            del payload["id"]
            points.append(Point(passage.id, vector, self.bm25.passage(passage.searchable), payload))
        return points


def check_name(name: str) -> None:
    """Raise an ``InputError`` unless the name can serve as a folder, a collection and a word on the command line."""
    if not name or not name[0].isalnum() or not all(c.isalnum() or c in "-_." for c in name) or len(name) > 64:
        raise InputError(
            f"{name!r} cannot name an expert.",
            "Use up to 64 letters, digits, '-', '_' or '.', beginning with a letter or digit.",
        )


def _batches(items: Iterable[Passage], size: int) -> Iterator[list[Passage]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
