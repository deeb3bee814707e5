"""An encoder that has most vectors already: those in the shards are looked up, all others are encoded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from app.bulk.shards import Encoded, Shards, digests
from indexes.encoders.base import Encoder, Fingerprint, Progress, Vectors

OPEN = 8  # shards that are held in memory


class Prepared:
    """Gives the vectors of passages from shards, whatever the order in which they are asked for. An ``Encoder``.

    Where each text stands is kept in memory: 12 bytes a text.

    Parameters
    ----------
    encoder
        Encodes questions, and passages that are in no shard: of a file, say, that has changed since the shards were cut.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._shards: Shards | None = None
        self._keys: list[str] = []
        self._open: OrderedDict[int, Encoded] = OrderedDict()
        self._prefixes, self._numbers = np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint32)
        self.looked_up = 0
        self.encoded = 0

    def use(self, shards: Shards, keys: Sequence[str]) -> None:
        """Look vectors up in these shards from now on; one that is damaged counts as absent."""
        self._shards, self._keys = shards, list(dict.fromkeys(keys))
        self._open.clear()
        self._prefixes, self._numbers = self._places(shards)

    @property
    def fingerprint(self) -> Fingerprint:
        """The encoder's."""
        return self._encoder.fingerprint

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """See ``Encoder``."""
        return self._encoder.encode_questions(texts)

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
        """See ``Encoder``; ``looked_up`` and ``encoded`` count how many came from where."""
        vectors = np.zeros((len(texts), self.fingerprint.dimension), dtype=np.float32)
        absent = self._fill(vectors, texts)
        if len(absent):
            vectors[absent] = self._encoder.encode_passages([texts[row] for row in absent])
        self.encoded += len(absent)
        self.looked_up += len(texts) - len(absent)
        if on_progress is not None:
            on_progress(len(texts), len(texts))
        return vectors

    def with_deltas(self, deltas: Mapping[str, NDArray[np.float32]], tag: str) -> Encoder:
        """See ``AdaptableEncoder``: another encoder, of which nothing is in the shards."""
        adapted: Encoder = self._encoder.with_deltas(deltas, tag)  # type: ignore[attr-defined]
        return adapted

    def _fill(self, vectors: Vectors, texts: Sequence[str]) -> NDArray[np.intp]:
        """Write what is in the shards into its rows; gives the other rows."""
        if not texts or not len(self._prefixes):
            return np.arange(len(texts))
        wanted = digests(texts)
        high = wanted["high"].astype(np.uint64)
        places = np.searchsorted(self._prefixes, high).clip(max=len(self._prefixes) - 1)
        absent = self._prefixes[places] != high
        numbers = self._numbers[places]
        for number in np.unique(numbers[~absent]):
            rows = np.flatnonzero(~absent & (numbers == number))
            shard = self._shard(int(number))
            found = shard.rows(wanted[rows])
            vectors[rows[found >= 0]] = shard.vectors[found[found >= 0]]
            absent[rows[found < 0]] = True
        return np.flatnonzero(absent)

    def _shard(self, number: int) -> Encoded:
        if number not in self._open:
            empty = Encoded(digests([]), np.zeros((0, self.fingerprint.dimension), dtype=np.float32))
            read = None if self._shards is None else self._shards.read(self._keys[number])
            self._open[number] = read or empty
            if len(self._open) > OPEN:
                self._open.popitem(last=False)
        self._open.move_to_end(number)
        return self._open[number]

    def _places(self, shards: Shards) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """Eight bytes of every text's digest, ascending ``[n]``, and the number of a shard that it is in ``[n]``."""
        high = [self._high(shards, key) for key in self._keys]
        sizes = list(map(len, high))
        prefixes = np.concatenate([np.zeros(0, dtype=np.uint64), *high])
        order = np.argsort(prefixes, kind="stable")
        return prefixes[order], np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)[order]

    @staticmethod
    def _high(shards: Shards, key: str) -> NDArray[np.uint64]:
        read = shards.read(key)
        return np.zeros(0, dtype=np.uint64) if read is None else read.digests["high"].astype(np.uint64)
