"""Building a slice's next generation: its passages are taken from the present one, and encoded by another encoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexes.adapters.base import Adapter
from indexes.adapters.files import read_adapter, read_header
from indexes.base_vectors import BaseVectors
from indexes.encoders.base import Encoder
from indexes.errors import SliceError
from indexes.generations import drop, file_of, generation_for, key_of, opened
from indexes.manifest import Manifest
from indexes.passage import Passage
from indexes.slice import OpenStore, Slice
from indexes.store.base import Point, Store, Vectors

BATCH = 256


@dataclass(frozen=True, slots=True)
class Followed:
    """How far one pass over a slice has come.

    Parameters
    ----------
    passages
        Of the slice when the pass began.
    compared
        Passages that were looked at so far.
    encoded
        Those of them that were new, or were stored otherwise.
    removed
        Passages that the slice does not hold any more.
    """

    passages: int
    compared: int = 0
    encoded: int = 0
    removed: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.encoded or self.removed)


class Next:
    """The generation of a slice for another encoder, while it is built. It follows the present one, however often that changes.

    Each batch is on the disk before the next; after an interruption, another ``Next`` goes on where this one was.

    Parameters
    ----------
    folder
        Of the slice.
    encoder
        Another than that of the slice's present generation.
    open_store
        See ``indexes.store.open``.
    """

    def __init__(self, folder: Path, encoder: Encoder, open_store: OpenStore) -> None:
        self.folder = folder
        self.encoder = encoder
        self.manifest = self._begun(open_store)
        self.store = opened(self.manifest, folder, open_store)
        self._stamped = False

    @property
    def home(self) -> Path:
        """See ``Slice.home``."""
        return self.manifest.store_folder(self.folder)

    def follow(self, source: Store) -> Iterator[Followed]:
        """Make this generation hold what the present one holds, whose store is ``source``; tells after each batch.

        What is there already costs no encoding. Whoever stops in between may call it again.
        """
        done = Followed(source.count())
        for points in source.records(BATCH):
            encoded = self._take(points)
            done = replace(done, compared=done.compared + len(points), encoded=done.encoded + encoded)
            yield done
        gone = [i for ids, _ in self.store.payloads(()) for i in _lacking(source, ids)]
        if gone:
            self._stamp()
            self.store.delete(gone)
            self.store.flush()
        self._counted()
        yield replace(done, removed=len(gone))

    def as_slice(self) -> Slice:
        """The slice as it is once this generation has been promoted."""
        return Slice(self.folder, self.manifest, self.store)

    def close(self) -> None:
        """Release the store."""
        self.store.close()

    def _begun(self, open_store: OpenStore) -> Manifest:
        """The manifest, of what an interruption or an earlier switch has left, or new."""
        present, fingerprint = Manifest.read(self.folder), self.encoder.fingerprint
        found = generation_for(self.folder, fingerprint)
        if found is not None and _settled(found, self.folder):
            return replace(found, description=present.description)
        if found is not None:
            drop(self.folder, found, open_store)
        fresh = Manifest(present.name, present.description, fingerprint, present.bm25, generation=key_of(fingerprint))
        return fresh.write(self.folder, file_of(fresh.generation))

    def _take(self, points: Sequence[Point]) -> int:
        """Store those points that are not here as they are there; gives how many."""
        known = sorted(self.store.existing([point.id for point in points]))
        here = dict(zip(known, self.store.fetch(known), strict=True))
        new = [point for point in points if here.get(point.id) != point.payload]
        if new:
            self._stamp()
            self.store.upsert(self._encoded(new))
            self.store.flush()
        return len(new)

    def _encoded(self, points: Sequence[Point]) -> list[Point]:
        passages = [Passage.from_dict({"id": point.id, **point.payload}) for point in points]
        vectors = self._moved(passages, self.encoder.encode_passages([passage.searchable for passage in passages]))
        return [replace(point, dense=vector) for point, vector in zip(points, vectors, strict=True)]

    def _moved(self, passages: Sequence[Passage], vectors: Vectors) -> Vectors:
        """The vectors as this generation's own adapter moves them: it may have one if the slice was this generation before."""
        if not self.manifest.adapter:
            return vectors
        adapter: Adapter = read_adapter(self.home, self.encoder)
        ids = [passage.id for passage in passages]
        BaseVectors(self.home, self.manifest.fingerprint.dimension).append(ids, vectors)
        return adapter.passages(ids, vectors)

    def _stamp(self) -> None:
        """Before the first change: what was measured of this generation is so no more, even if the change is interrupted."""
        if not self._stamped:
            self.manifest = self.manifest.write(self.folder, file_of(self.manifest.generation))
            self._stamped = True

    def _counted(self) -> None:
        """Say how many passages there are, and that everything was followed."""
        count = self.store.count()
        if count != self.manifest.passages:
            self.manifest = replace(self.manifest, passages=count)
            self.manifest.keep(self.folder, file_of(self.manifest.generation))
        self._stamped = False


def _settled(manifest: Manifest, folder: Path) -> bool:
    """Whether the stored vectors are those of the generation's adapter, and no change of these was interrupted."""
    try:
        header = read_header(manifest.store_folder(folder))
    except SliceError:
        return False
    return not manifest.pending and manifest.adapter == (header.key if header.moves_passages else "")


def _lacking(store: Store, ids: Sequence[str]) -> list[str]:
    here = store.existing(ids)
    return [i for i in ids if i not in here]
