"""A slice: one body of knowledge, split, embedded and stored, that can be searched."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.adapters.base import Adapter, Identity
from indexes.adapters.files import read_adapter, read_header, write_adapter
from indexes.base_vectors import BaseVectors
from indexes.catalogue import Catalogue, DocumentCard
from indexes.encoders.base import Encoder
from indexes.errors import InputError, SliceError
from indexes.lexical import Bm25, Bm25Settings, average_length
from indexes.manifest import Manifest, check_fingerprint
from indexes.passage import Passage
from indexes.store.base import Candidates, Point, Store, Vectors

BATCH = 512
_PAYLOAD = tuple(each.name for each in fields(Passage) if each.name != "id")

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
    documents
        Documents that any new passage is of.
    """

    passages: int = 0
    embedded: int = 0
    documents: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.passages} passages: {self.embedded} new, {self.passages - self.embedded} already there"


class Slice:
    """A named, searchable set of passages in one vector space.

    The stored vectors are those that are searched: the encoder's, or where the adapter in the folder moves passages, the
    moved ones. Then the encoder's are kept in a file beside the store, so that nothing is ever encoded anew.

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
        self._base = BaseVectors(folder, manifest.fingerprint.dimension)
        self._mover: Adapter | None = None
        self._catalogue: Catalogue | None = None
        self._writing = RLock()  # a passage's vector stands in two places where it was moved

    @property
    def name(self) -> str:
        """The slice's name."""
        return self.manifest.name

    @classmethod
    def open(cls, folder: Path, encoder: Encoder, open_store: OpenStore) -> Slice:
        """Open the slice in ``folder``; a ``SliceError`` where it is missing or built with another encoder.

        Where the stored vectors are not those of the adapter in the folder, because ``adapt`` or ``project`` was
        interrupted, that is mended first.
        """
        manifest = Manifest.read(folder)
        check_fingerprint(manifest, encoder.fingerprint)
        slice_ = cls(folder, manifest, open_store(manifest.name, folder, manifest.fingerprint.dimension))
        try:
            slice_._follow_folder(encoder)
        except BaseException:
            slice_.close()
            raise
        return slice_

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
        added, documents = Added(), set[str]()
        for batch in _batches(passages, BATCH):
            new = self._add(batch, encoder)
            documents.update(passage.document_id for passage in new)
            added = Added(added.passages + len(batch), added.embedded + len(new), len(documents))
            if on_progress is not None:
                on_progress(added)
        self._counted()
        return added

    def documents(self) -> tuple[DocumentCard, ...]:
        """All documents by title; kept in memory until the slice changes."""
        stamp = (Manifest.read(self.folder).updated, self.store.count())
        if self._catalogue is None or self._catalogue.stamp != stamp:
            self._catalogue = Catalogue.read(self.store, stamp)
        return self._catalogue.cards

    def document(self, document_id: str) -> list[Passage]:
        """The passages of one document as they stand in it; none where it is not here."""
        batches = self.store.payloads(_PAYLOAD, {"document_id": [document_id]})
        found = [
            Passage.from_dict({"id": i, **p}) for ids, payloads in batches for i, p in zip(ids, payloads, strict=True)
        ]
        return sorted(found, key=lambda passage: (passage.start, passage.end, passage.id))

    def remove(self, document_ids: Iterable[str]) -> int:
        """Delete documents with all that is kept of their passages; gives how many were here."""
        here = sorted(set(document_ids) & {card.id for card in self.documents()})
        if here:
            with self._writing:
                ids = self._passages_of(here)
                self.store.delete(ids)
                self.store.flush()
                self._base.remove(ids)
                self._counted()
        return len(here)

    def adapt(self, adapter: Adapter, card: Mapping[str, Any]) -> None:
        """Make an adapter this slice's own: keep it in the folder with its card, and move the passages where it does.

        An interruption is finished when the slice is opened; the identity undoes all that another adapter did.
        """
        write_adapter(self.folder, adapter, card)
        self.project(adapter)

    def project(self, adapter: Adapter) -> None:
        """Search the passages by the adapter's vectors from now on; nothing is encoded.

        The adapter in the folder is what counts when the slice is opened, so write it first: see ``adapt``. The identity
        brings back the encoder's vectors as they were, to the last bit.
        """
        with self._writing:
            self._project(adapter)

    def base_vectors(self, batch: int = 1000) -> Iterator[tuple[tuple[str, ...], Vectors]]:
        """All ids and the encoder's own vectors ``[n, dimension]``, in batches, in order of id: what training learns from."""
        if not self._moved:
            yield from self.store.scan(batch)
            return
        for ids, vectors in self._base.batches(batch):
            known = self.store.existing(ids)
            rows = [row for row, i in enumerate(ids) if i in known]
            if rows:
                yield tuple(ids[row] for row in rows), vectors[rows]

    def base_cosines(self, ids: Sequence[str], vector: Vectors) -> NDArray[np.float32]:
        """Cosines ``[len(ids)]`` of passages with a question, both as the encoder sees them and no adapter has moved them."""
        if not ids:
            return np.zeros(0, dtype=np.float32)
        if not self._moved:
            return np.asarray(self.store.vectors(ids) @ vector, dtype=np.float32)
        wanted, found = set(ids), dict[str, float]()
        for kept, vectors in self._base.batches(BATCH):
            rows = [row for row, i in enumerate(kept) if i in wanted]
            found.update(zip([kept[row] for row in rows], (vectors[rows] @ vector).tolist(), strict=True))
        return np.array([found[i] for i in ids], dtype=np.float32)

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

    def _add(self, batch: Sequence[Passage], encoder: Encoder) -> list[Passage]:
        """Those of the passages that were not here."""
        with self._writing:
            distinct = {passage.id: passage for passage in batch}
            known = self.store.existing(list(distinct))
            new = [passage for passage in distinct.values() if passage.id not in known]
            if new:
                self.store.upsert(self._points(new, encoder, self._applied(encoder)))
                self.store.flush()
        return new

    def _passages_of(self, document_ids: Sequence[str]) -> list[str]:
        return [i for ids, _ in self.store.payloads((), {"document_id": document_ids}) for i in ids]

    def _counted(self) -> None:
        self.manifest = replace(Manifest.read(self.folder), passages=self.store.count()).write(self.folder)

    @property
    def _moved(self) -> bool:
        """Whether any stored vector may be another than the encoder's."""
        return bool(self.manifest.adapter) or self.manifest.pending

    def _project(self, adapter: Adapter) -> None:
        key = adapter.key if adapter.moves_passages else Identity.key
        self.manifest = Manifest.read(self.folder)
        if key != self.manifest.adapter or self.manifest.pending:
            self._keep_base()
            self.manifest = replace(self.manifest, pending=True).write(self.folder)
            for ids, vectors in self._base.batches(BATCH):
                self.store.update_vectors(ids, adapter.passages(ids, vectors))
            self.store.flush()
            self.manifest = replace(self.manifest, adapter=key, pending=False).write(self.folder)
        if not key:
            self._base.clear()
        self._mover = adapter

    def _keep_base(self) -> None:
        """See to it that the encoder's vector of every passage is in the file, before any is replaced in the store."""
        if not self._moved:
            self._base.clear()  # what an interrupted attempt has left
            for ids, vectors in self.store.scan():
                self._base.append(ids, vectors)
            return
        passages = self.store.count()
        lacking = passages - sum(len(ids) for ids, _ in self.base_vectors())
        if lacking:
            raise SliceError(
                f"Slice {self.name!r} lacks the encoder's vectors of {lacking} of its {passages} passages, so these cannot be "
                "moved.",
                f"Restore {self._base.path} from a copy, or rebuild the slice: `symposia experts remove {self.name}` and add "
                "its documents again.",
            )

    def _follow_folder(self, encoder: Encoder) -> None:
        """Project by the adapter in the folder unless that is how the vectors are stored."""
        header = read_header(self.folder)
        wanted = header.key if header.moves_passages else Identity.key
        if self.manifest.pending or self.manifest.adapter != wanted:
            self.project(read_adapter(self.folder, encoder))

    def _applied(self, encoder: Encoder) -> Adapter:
        """The adapter that the stored vectors were moved by, be it by another process since the slice was opened."""
        self.manifest = Manifest.read(self.folder)
        if self.manifest.pending:
            self._follow_folder(encoder)
        if not self.manifest.adapter:
            return Identity()
        if self._mover is None or self._mover.key != self.manifest.adapter:
            self._mover = read_adapter(self.folder, encoder)
        if self._mover.key != self.manifest.adapter:
            raise SliceError(
                f"The adapter in {self.folder} is another than the one that moved the passages of slice {self.name!r}.",
                "Open the slice again: it is mended then.",
            )
        return self._mover

    def _points(self, passages: list[Passage], encoder: Encoder, adapter: Adapter) -> list[Point]:
        vectors = encoder.encode_passages([passage.searchable for passage in passages])
        if adapter.moves_passages:
            ids = [passage.id for passage in passages]
            self._base.append(ids, vectors)
            vectors = adapter.passages(ids, vectors)
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
