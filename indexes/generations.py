"""Generations of a slice: the same passages as several encoders see them, side by side.

``slice.json`` describes the generation that the slice is. Another one, whole or not, has its manifest beside it as
``slice~KEY.json``, and its store and whatever else was made with its encoder in a folder of its own
(``Manifest.store_folder``); the first generation of a slice has the slice's folder itself. A manifest is there before the
first point of its generation and until the last is gone, so that nothing lies about that no manifest knows of.

Which generation is opened is decided by the encoder that opens the slice: the one that was built with it, if it holds the
same passages as the slice. It is the slice from then on (``promote``), which is one atomic write. So a single setting, the
encoder, switches all slices, and whatever is interrupted leaves each of them with a generation for the encoder that is set.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from indexes.encoders.base import Fingerprint
from indexes.errors import SliceError
from indexes.manifest import FILE, SEPARATOR, Manifest

if TYPE_CHECKING:
    from indexes.slice import OpenStore
    from indexes.store.base import Store

PAGE = 1000
MADE_WITH_AN_ENCODER = ("*.npz", "base-vectors.bin", "card.json", "training")  # what a generation has beside its store


def key_of(fingerprint: Fingerprint) -> str:
    """12 hex characters that name the generation of an encoder."""
    text = json.dumps(fingerprint.to_dict(), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def file_of(generation: str) -> str:
    """Name of the manifest of a generation that is not the slice's present one."""
    stem, _, suffix = FILE.partition(".")
    return f"{stem}{SEPARATOR}{generation}.{suffix}"


def opened(manifest: Manifest, folder: Path, open_store: OpenStore) -> Store:
    """The store of the generation that the manifest describes, of the slice in ``folder``."""
    return open_store(manifest.store_name, manifest.store_folder(folder), manifest.fingerprint.dimension)


def beside(folder: Path) -> list[Manifest]:
    """Manifests of the slice's other generations, whole or not, by key; one that is damaged is as if it were not there."""
    present, found = Manifest.read(folder).generation, []
    for path in sorted(folder.glob(file_of("*"))):
        try:
            manifest = Manifest.read(folder, path.name)
        except SliceError:
            continue
        if path.name == file_of(manifest.generation) and manifest.generation != present:
            found.append(manifest)
    return found


def generation_for(folder: Path, fingerprint: Fingerprint) -> Manifest | None:
    """The manifest of the slice's other generation that was built with an encoder, whole or not."""
    return next((each for each in beside(folder) if each.fingerprint == fingerprint), None)


def fitting(folder: Path, fingerprint: Fingerprint, open_store: OpenStore) -> Manifest:
    """The manifest of the generation that this encoder opens; where there is none, that of the present one.

    A generation beside the slice that was built with the encoder and holds the same passages is promoted.
    """
    present = Manifest.read(folder)
    if present.fingerprint == fingerprint:
        return present
    other = generation_for(folder, fingerprint)
    if other is None:
        return present
    try:
        with closing(opened(present, folder, open_store)) as one, closing(opened(other, folder, open_store)) as two:
            return promote(folder, other) if same_passages(one, two) else present
    except SliceError:  # one of them is damaged; whoever opens the present one is told
        return present


def promote(folder: Path, manifest: Manifest) -> Manifest:
    """Make a generation the slice's present one, in one atomic write; the one before stays, with its manifest beside.

    Whoever calls has seen to it that both hold the same passages, and that nobody writes to either. Gives what was written.
    """
    present = Manifest.read(folder)
    if present.generation != manifest.generation:
        present.keep(folder, file_of(present.generation))
    promoted = replace(manifest, description=present.description)
    promoted.keep(folder)
    (folder / file_of(manifest.generation)).unlink(missing_ok=True)
    return promoted


def drop(folder: Path, manifest: Manifest, open_store: OpenStore) -> None:
    """Delete a generation that is not the slice's present one, with all that was made with its encoder."""
    if Manifest.read(folder).generation == manifest.generation:
        raise ValueError(f"{manifest.store_name} is the present generation of its slice.")
    home = manifest.store_folder(folder)
    try:
        opened(manifest, folder, open_store).drop()
    except SliceError:  # a store that is damaged, perhaps because deleting it was interrupted
        _remove_shard(home)
    if manifest.generation:
        shutil.rmtree(home, ignore_errors=True)
    for pattern in MADE_WITH_AN_ENCODER:
        for path in home.glob(pattern):
            _remove(path)
    (folder / file_of(manifest.generation)).unlink(missing_ok=True)


def drop_others(folder: Path, open_store: OpenStore) -> int:
    """Delete all generations but the slice's present one, those half built or half deleted too; gives how many."""
    others = beside(folder)
    for manifest in others:
        drop(folder, manifest, open_store)
    for path in folder.glob(file_of("*")):  # of the present generation, or damaged
        path.unlink()
    return len(others)


def same_passages(one: Store, other: Store) -> bool:
    """Whether two stores hold the same ids with the same payloads; about 20 µs a passage."""
    if one.count() != other.count():
        return False
    return all(a == b for a, b in zip_longest(_pages(one), _pages(other)))


def _pages(store: Store) -> Iterator[list[tuple[str, object]]]:
    for points in store.records(PAGE):
        yield [(point.id, point.payload) for point in points]


def _remove_shard(home: Path) -> None:
    from indexes.store.open import SHARD

    shutil.rmtree(home / SHARD, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
