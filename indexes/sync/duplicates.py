"""Passages that say the same, or nearly, in several documents.

Near duplicates are found by MinHash over word shingles with banding (Broder 1997, *On the resemblance and containment of
documents*; Leskovec, Rajaraman and Ullman 2014, section 3.4; hashed by multiply-shift, Dietzfelbinger et al. 1997), and their resemblance is then computed exactly. One slice is
kept as ``PERMUTATIONS`` numbers of 4 bytes a passage.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.passage import Passage
from indexes.store.base import Store
from indexes.sync.given import digest

SHINGLE = 4  # words
PERMUTATIONS, BANDS = 64, 16
CROWD = 40  # passages with one band in common from which on only neighbours are compared
_FIELDS = ("document_id", "text", "title", "source", "place")
_WORD = re.compile("[\u0e00-\u0eff\u2e80-\u9fff]|[^\\W\u0e00-\u0eff\u2e80-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands."""

    passage: str
    document: str
    title: str
    source: str


@dataclass(frozen=True, slots=True)
class Same:
    """Passages of several documents with one text; headings count, as they are embedded too."""

    text: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """Two passages of different documents; ``resemblance`` is the share of shingles that they have in common, of all."""

    first: Place
    second: Place
    resemblance: float


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What was found among so many ``passages``: ``exact`` by number of places, ``near`` by resemblance, most first."""

    passages: int
    exact: tuple[Same, ...]
    near: tuple[Near, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Sketches:
    """Of each text one passage; ``signatures`` is ``[n, PERMUTATIONS]``."""

    places: list[Place]
    signatures: NDArray[np.uint32]


def duplicates(store: Store, *, least: float = 0.8, seed: int = 0) -> Duplicates:
    """Find them among all passages of a store.

    Parameters
    ----------
    least
        Resemblance of near duplicates, above 0. Of pairs that resemble each other by 0.8, 1 in 4,000 is missed; of pairs by
        0.5, one in three.
    seed
        Of the permutations.
    """
    by_text, sketches, count = _read(store, seed)
    exact = [
        Same(store.fetch([places[0].passage])[0]["text"], tuple(places))
        for places in by_text.values()
        if len({place.document for place in places}) > 1
    ]
    near = list(_near(store, sketches, least))
    return Duplicates(
        count,
        tuple(sorted(exact, key=lambda same: (-len(same.places), same.places[0].passage))),
        tuple(sorted(near, key=lambda pair: (-pair.resemblance, pair.first.passage, pair.second.passage))),
    )


def shingles(text: str) -> NDArray[np.uint64]:
    """Hashes of every ``SHINGLE`` words in a row, each once, ascending; of a shorter text, of all its words."""
    words = _WORD.findall(text.casefold())
    rows = {" ".join(words[at : at + SHINGLE]) for at in range(max(1, len(words) - SHINGLE + 1))}
    return np.array(sorted(zlib.crc32(row.encode("utf-8", "surrogatepass")) for row in rows), dtype=np.uint64)


def _read(store: Store, seed: int) -> tuple[dict[bytes, list[Place]], _Sketches, int]:
    random = np.random.default_rng(seed)
    factors, summands = random.integers(0, 1 << 64, (2, PERMUTATIONS), dtype=np.uint64)
    factors |= np.uint64(1)
    by_text: dict[bytes, list[Place]] = {}
    places, signatures, count = list[Place](), list[NDArray[np.uint32]](), 0
    for ids, payloads in store.payloads(_FIELDS):
        for i, payload in zip(ids, payloads, strict=True):
            count += 1
            passage = Passage.from_dict({"id": i, **payload})
            place = Place(i, passage.document_id, passage.title, passage.source)
            same = by_text.setdefault(digest(passage.searchable), [])
            same.append(place)
            if len(same) == 1:
                places.append(place)
                hashed = (shingles(passage.text)[:, None] * factors + summands) >> np.uint64(32)  # of 64 bits, wrapped
                signatures.append(hashed.min(axis=0).astype(np.uint32))
    found = np.array(signatures, dtype=np.uint32).reshape(len(places), PERMUTATIONS)
    return by_text, _Sketches(places, found), count


def _near(store: Store, sketches: _Sketches, least: float) -> Iterator[Near]:
    for one, other in sorted(_candidates(sketches.signatures)):
        first, second = sketches.places[one], sketches.places[other]
        if first.document == second.document:
            continue
        texts = store.fetch([first.passage, second.passage])
        resemblance = _resemblance(*(shingles(payload["text"]) for payload in texts))
        if resemblance >= least:
            yield Near(first, second, resemblance)


def _candidates(signatures: NDArray[np.uint32]) -> set[tuple[int, int]]:
    """Pairs of rows with any band in common."""
    pairs: set[tuple[int, int]] = set()
    for band in np.split(signatures, BANDS, axis=1):
        order = np.lexsort(band.T)
        edges = np.flatnonzero(np.any(band[order[1:]] != band[order[:-1]], axis=1)) + 1
        for rows in np.split(order, edges):
            if len(rows) > 1:
                pairs.update(_pairs(sorted(rows.tolist())))
    return pairs


def _pairs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    yield from combinations(rows, 2) if len(rows) <= CROWD else pairwise(rows)


def _resemblance(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)
