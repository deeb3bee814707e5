"""A slice: one body of knowledge, split, embedded and stored, that can be searched."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.adapters.base import Adapter, Identity
from indexes.adapters.files import read_adapter, read_header, write_adapter
from indexes.base_vectors import BaseVectors
from indexes.catalogue import Catalogue, DocumentCard
from indexes.encoders.base import Encoder
from indexes.errors import InputError, SliceError
from indexes.generations import fitting, opened
from indexes.lexical import Bm25, Bm25Settings, average_length
from indexes.manifest import Manifest, check_fingerprint
from indexes.passage import Passage
from indexes.store.base import Candidates, Point, Store, Vectors
from indexes.sync import following
from indexes.sync.ahead import Ahead
from indexes.sync.filling import DEPTH, Batch, Filling, bare_windows
from indexes.sync.journal import Journal

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

    The stored vectors are those that are searched: the encoder's, or where the adapter in ``home`` moves passages, the
    moved ones. Then the encoder's are kept in a file beside the store, so that nothing is ever encoded anew.

    It is one generation of the slice: with another encoder's vectors there may be others beside it, and which one is opened
    depends on the encoder (see ``indexes.generations``).

    Parameters
    ----------
    folder
        Of the slice: holds the manifest, and whatever does not depend on the encoder.
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
        self._base = BaseVectors(self.home, manifest.fingerprint.dimension)
        self._mover: Adapter | None = None
        self._catalogue: Catalogue | None = None
        self._writing = threading.RLock()  # a passage's vector stands in two places where it was moved

    @property
    def name(self) -> str:
        """The slice's name."""
        return self.manifest.name

    @property
    def home(self) -> Path:
        """Where all lies that was made with the encoder: an embedded store's shard, the adapter, what an expert learned."""
        return self.manifest.store_folder(self.folder)

    @property
    def writing(self) -> threading.RLock:
        """Held while anything is written: points and manifest belong together."""
        return self._writing

    @classmethod
    def open(cls, folder: Path, encoder: Encoder, open_store: OpenStore) -> Slice:
        """Open the slice in ``folder``; a ``SliceError`` where it is missing or built with another encoder.

        Where another generation of it was built with this encoder and holds the same passages, that one is opened, and is
        the slice from then on.

        Where the stored vectors are not those of the adapter in the folder, because ``adapt`` or ``project`` was
        interrupted, that is mended first.
        """
        manifest = fitting(folder, encoder.fingerprint, open_store)
        check_fingerprint(manifest, encoder.fingerprint)
        slice_ = cls(folder, manifest, opened(manifest, folder, open_store))
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
        return cls(folder, manifest, opened(manifest, folder, open_store))

    def add(
        self, passages: Iterable[Passage], encoder: Encoder, on_progress: Callable[[Added], None] | None = None
    ) -> Added:
        """Embed and store the passages that are not here yet, in batches; each batch is durable when reported.

        Adding the same passages again embeds nothing. After an interruption, run it again: it resumes.
        """
        check_fingerprint(self.manifest, encoder.fingerprint)
        added, documents = Added(), set[str]()
        with contextlib.closing(self._filled(passages, encoder)) as batches:
            for batch in batches:
                documents.update(passage.document_id for passage in batch.passages)
                known = batch.window.given - batch.fresh if batch.first else 0
                passed = added.passages + known + len(batch.passages)
                added = Added(passed, added.embedded + len(batch.passages), len(documents))
                if on_progress is not None:
                    on_progress(added)
        self.counted()
        return added

    def write(self, passages: Sequence[Passage], vectors: Vectors, encoder: Encoder) -> None:
        """Store passages with the encoder's vectors ``[len(passages), dimension]``; durable when this returns."""
        with self._writing:
            self.store.upsert(self._points(passages, vectors, self._applied(encoder)))
            self.store.flush()

    def encoded(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The encoder's own vectors of those of the passages that are here."""
        here = sorted(self.store.existing(ids)) if ids else []
        if not here:
            return {}
        if not self._moved:
            return dict(zip(here, self.store.vectors(here), strict=True))
        wanted, found = set(here), dict[str, Vectors]()
        for kept, vectors in self._base.batches(BATCH):
            found.update((i, vectors[row]) for row, i in enumerate(kept) if i in wanted)
        return found

    def rename(self, sources: Mapping[str, str]) -> None:
        """Store documents as of other sources: id to source. Their vectors stay."""
        with self._writing:
            self._kept()
            for ids, payloads in self.store.payloads(_PAYLOAD, {"document_id": sorted(sources)}):
                vectors = self.store.vectors(ids)
                points = []
                for i, payload, vector in zip(ids, payloads, vectors, strict=True):
                    passage = Passage.from_dict({"id": i, **payload, "source": sources[payload["document_id"]]})
                    points.append(self._point(passage, vector))
                self.store.upsert(points)
            self.store.flush()

    def discard(self, document_ids: Sequence[str]) -> None:
        """Delete documents with all that is kept of their passages; unknown ones are ignored. See ``counted``."""
        with self._writing:
            self._kept()
            self.discard_passages(self._passages_of(document_ids))

    def discard_passages(self, ids: Sequence[str]) -> None:
        """Delete passages with all that is kept of them; unknown ones are ignored. See ``counted``."""
        with self._writing:
            self.store.delete(ids)
            self.store.flush()
            self._base.remove(ids)

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
            with self._writing, contextlib.closing(Journal(self.folder)) as journal:
                self._kept()
                following.forget(journal, here)
                self.discard(here)
                journal.forget_documents(here)
                self.counted()
        return len(here)

    def adapt(self, adapter: Adapter, card: Mapping[str, Any]) -> None:
        """Make an adapter this slice's own: keep it in the folder with its card, and move the passages where it does.

        An interruption is finished when the slice is opened; the identity undoes all that another adapter did.
        """
        self._kept()
        write_adapter(self.home, adapter, card, self.manifest.fingerprint)
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

    def _filled(self, passages: Iterable[Passage], encoder: Encoder) -> Generator[Batch]:
        """Batches of the passages that were not here, each once it is stored."""
        ended = threading.Event()
        filling = Filling(encoder, self.store.existing, lambda _: {}, ended, BATCH)
        stage = Ahead(filling.batches(bare_windows(passages)), DEPTH, ended)
        try:
            for batch in stage:
                if batch.passages:
                    self.write(batch.passages, batch.vectors, encoder)
                yield batch
        finally:
            stage.close()

    def _passages_of(self, document_ids: Sequence[str]) -> list[str]:
        return [i for ids, _ in self.store.payloads((), {"document_id": document_ids}) for i in ids]

    def counted(self) -> None:
        """Note in the manifest how many passages there are, and that they have changed."""
        self.manifest = replace(self._kept(), passages=self.store.count()).write(self.folder)

    def _kept(self) -> Manifest:
        """The manifest as it is in the folder; a ``SliceError`` where another generation has taken this one's place."""
        manifest = Manifest.read(self.folder)
        if manifest.generation != self.manifest.generation:
            raise SliceError(
                f"Slice {self.name!r} was encoded anew by another process, with {manifest.fingerprint.model}; what is added "
                "to what was there before would be lost.",
                "Start this program again with [models] encoder set to that encoder.",
            )
        return manifest

    @property
    def _moved(self) -> bool:
        """Whether any stored vector may be another than the encoder's."""
        return bool(self.manifest.adapter) or self.manifest.pending

    def _project(self, adapter: Adapter) -> None:
        key = adapter.key if adapter.moves_passages else Identity.key
        self.manifest = self._kept()
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
        header = read_header(self.home)
        wanted = header.key if header.moves_passages else Identity.key
        if self.manifest.pending or self.manifest.adapter != wanted:
            self.project(read_adapter(self.home, encoder))

    def _applied(self, encoder: Encoder) -> Adapter:
        """The adapter that the stored vectors were moved by, be it by another process since the slice was opened."""
        self.manifest = self._kept()
        if self.manifest.pending:
            self._follow_folder(encoder)
        if not self.manifest.adapter:
            return Identity()
        if self._mover is None or self._mover.key != self.manifest.adapter:
            self._mover = read_adapter(self.home, encoder)
        if self._mover.key != self.manifest.adapter:
            raise SliceError(
                f"The adapter in {self.home} is another than the one that moved the passages of slice {self.name!r}.",
                "Open the slice again: it is mended then.",
            )
        return self._mover

    def _points(self, passages: Sequence[Passage], vectors: Vectors, adapter: Adapter) -> list[Point]:
        if adapter.moves_passages:
            ids = [passage.id for passage in passages]
            self._base.append(ids, vectors)
            vectors = adapter.passages(ids, vectors)
        return [self._point(passage, vector) for passage, vector in zip(passages, vectors, strict=True)]

    def _point(self, passage: Passage, vector: Vectors) -> Point:
        payload = passage.to_dict()
        del payload["id"]
        return Point(passage.id, vector, self.bm25.passage(passage.searchable), payload)


def check_name(name: str) -> None:
    """Raise an ``InputError`` unless the name can serve as a folder, a collection and a word on the command line."""
    if not name or not name[0].isalnum() or not all(c.isalnum() or c in "-_." for c in name) or len(name) > 64:
        raise InputError(
            f"{name!r} cannot name an expert.",
            "Use up to 64 letters, digits, '-', '_' or '.', beginning with a letter or digit.",
        )
