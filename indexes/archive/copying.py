"""Slices from one store into another, as they are: nothing is encoded, and the store that they come from is only read.

Interrupted, the same call goes on: what is there already, and equal, is not written again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from indexes.archive.slices import check_filled
from indexes.errors import SliceError, StoreError
from indexes.generations import opened
from indexes.manifest import Manifest
from indexes.slice import OpenStore
from indexes.store.base import Point, Store

BATCH = 500
SAMPLE = 16
"""Points of each batch that are read back and compared when all were written."""
TOLERANCE = 1e-6
"""How far a number of a vector may be off: a server scales vectors to length 1 again."""

Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What copying a slice did.

    Parameters
    ----------
    points
        Passages of the slice.
    written
        Those of them that were not there yet.
    removed
        What was there besides, and is no more.
    compared
        Points that were read back.
    exact
        Those of them whose vectors are equal to the last bit; the others are within ``TOLERANCE``.
    """

    name: str
    points: int = 0
    written: int = 0
    removed: int = 0
    compared: int = 0
    exact: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {name: getattr(self, name) for name in self.__slots__}


def copy_slice(
    folder: Path, source: OpenStore, target: OpenStore, *, replacing: bool = False, on_progress: Report | None = None
) -> Copied:
    """Copy the points of the slice in ``folder``, and those of its other generations, from one store into another.

    Parameters
    ----------
    replacing
        Whether passages that are in the target and not in the slice are to be removed there.
    on_progress
        Told how many passages are in their place.

    Raises
    ------
    StoreError
        A store is in use or out of reach, or the target holds what is not the slice's.
    SliceError
        What was read back is not what was written.
    """
    names = sorted(path.name for path in folder.glob("slice*.json"))
    if not names:
        Manifest.read(folder)
    results = [_copy(Manifest.read(folder, name), folder, source, target, replacing, on_progress) for name in names]
    return next(copied for copied, name in zip(results, names, strict=True) if name == "slice.json")


def _copy(
    manifest: Manifest,
    folder: Path,
    source: OpenStore,
    target: OpenStore,
    replacing: bool,
    report: Report | None,
) -> Copied:
    come_from = opened(manifest, folder, source)
    try:
        check_filled(come_from, manifest)
        go_to = opened(manifest, folder, target)
        try:
            copied = _points(Copied(manifest.name), come_from, go_to, report)
            go_to.flush()
            copied = replace(copied, removed=_others(copied, come_from, go_to, replacing))
            with suppress(StoreError):  # without the space for it searches are slower, and nothing is lost
                go_to.optimize()
            return _compared(copied, come_from, go_to)
        finally:
            go_to.close()
    finally:
        come_from.close()


def _points(copied: Copied, source: Store, target: Store, report: Report | None) -> Copied:
    for batch in source.records(BATCH):
        lacking = [point for point, same in zip(batch, _same(batch, target), strict=True) if not same]
        target.upsert(lacking)
        copied = replace(copied, points=copied.points + len(batch), written=copied.written + len(lacking))
        if report is not None:
            report(copied.points)
    return copied


def _same(batch: Sequence[Point], store: Store) -> list[bool]:
    """Which of the points are in the store as they are here."""
    known = store.existing([point.id for point in batch])
    ids = [point.id for point in batch if point.id in known]
    vectors = dict(zip(ids, store.vectors(ids), strict=True)) if ids else {}
    payloads = dict(zip(ids, store.fetch(ids), strict=True)) if ids else {}
    return [
        point.id in known and _near(point, vectors[point.id]) and payloads[point.id] == point.payload for point in batch
    ]


def _near(point: Point, vector: np.ndarray[Any, Any]) -> bool:
    return bool(np.allclose(point.dense, vector, rtol=0, atol=TOLERANCE, equal_nan=True))


def _others(copied: Copied, source: Store, target: Store, replacing: bool) -> int:
    """Remove what is not the slice's, and say how much it was."""
    count = target.count()
    if count < copied.points:
        raise SliceError(
            f"Of the {copied.points} passages of {copied.name!r}, {count} are there after copying them.",
            "Run the same command again; if it lasts, look into the server's log.",
        )
    if count == copied.points:
        return 0
    if not replacing:
        raise StoreError(
            f"The store holds {count - copied.points} passages under the name of {copied.name!r} that the slice does not "
            "have.",
            "If they are an older state of it, remove them with --replace; if they are another home's, use another server.",
        )
    removed = 0
    for ids in list(_ids(target)):  # not while they are being read
        known = source.existing(ids)
        others = [i for i in ids if i not in known]
        target.delete(others)
        removed += len(others)
    target.flush()
    return removed


def _ids(store: Store) -> Iterator[tuple[str, ...]]:
    for ids, _ in store.payloads(()):
        yield ids


def _compared(copied: Copied, source: Store, target: Store) -> Copied:
    """Read back some points of every batch with all that belongs to them."""
    generator = np.random.default_rng(0)
    compared = exact = 0
    for batch in source.records(BATCH):
        chosen = [batch[row] for row in sorted(generator.choice(len(batch), min(SAMPLE, len(batch)), replace=False))]
        wrong = [point.id for point, same in zip(chosen, _same(chosen, target), strict=True) if not same]
        if wrong:
            raise SliceError(
                f"Passage {wrong[0]} of {copied.name!r} is not there as it was written.",
                "Run the same command again; if it lasts, look into the server's log.",
            )
        vectors = target.vectors([point.id for point in chosen])
        exact += sum(np.array_equal(point.dense, vector) for point, vector in zip(chosen, vectors, strict=True))
        compared += len(chosen)
    _compare_terms(copied.name, source, target)
    return replace(copied, compared=compared, exact=exact)


def _compare_terms(name: str, source: Store, target: Store) -> None:
    """The terms of the first batch: both stores give their points in the same order."""
    for theirs, ours in zip(source.records(BATCH), target.records(BATCH), strict=False):
        for one, other in zip(theirs, ours, strict=True):
            terms = (dict(zip(point.sparse.indices, point.sparse.values, strict=True)) for point in (one, other))
            first, second = terms
            near = first.keys() == second.keys() and np.allclose(
                list(first.values()), [second[term] for term in first], rtol=TOLERANCE, atol=TOLERANCE
            )
            if one.id != other.id or not near:
                raise SliceError(
                    f"The terms of passage {one.id} of {name!r} are not there as they were written.",
                    "Run the same command again; if it lasts, look into the server's log.",
                )
        return
