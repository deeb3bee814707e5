"""The adapter protocol, the adapter that changes nothing, and what all adapters share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Encoder, Vectors

Arrays = Mapping[str, NDArray[Any]]


class Adapter(Protocol):
    """Turns vectors of the base encoder into vectors of one expert.

    Every class has ``from_arrays(arrays, encoder)`` too, which makes an adapter of what ``arrays`` gave.
    """

    @property
    def kind(self) -> str:
        """One of "identity", "linear", "two-sided", "nudge", "lora"."""

    @property
    def key(self) -> str:
        """16 hex characters over the kind and the arrays; "" for the identity."""

    @property
    def moves_passages(self) -> bool:
        """Whether stored passages are searched by other vectors than the base encoder's."""

    def questions(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        """Unit vectors ``[n, dimension]`` of questions, from their base unit vectors or by encoding the texts anew."""

    def passages(self, ids: Sequence[str], vectors: Vectors) -> Vectors:
        """Unit vectors ``[n, dimension]`` of stored passages, from their base unit vectors.

        The same object comes back where ``moves_passages`` is false.
        """

    def asking(self) -> Adapter:
        """What turns questions as this adapter does, and holds nothing of passages: all that searching needs in memory."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept on disk."""


class Identity:
    """The adapter of an expert that has learned nothing: questions and passages stay as the base encoder made them."""

    kind = "identity"
    key = ""
    moves_passages = False

    @classmethod
    def from_arrays(cls, _arrays: Arrays, _encoder: Encoder) -> Identity:
        """Make an identity; there is nothing to read."""
        return cls()

    def questions(self, _texts: Sequence[str], vectors: Vectors) -> Vectors:
        """See ``Adapter``."""
        return vectors

    def passages(self, _ids: Sequence[str], vectors: Vectors) -> Vectors:
        """See ``Adapter``."""
        return vectors

    def asking(self) -> Identity:
        """See ``Adapter``."""
        return self

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See ``Adapter``."""
        return {}


def key_of(kind: str, arrays: Arrays) -> str:
    """16 hex characters that change with the kind, and with any array's name, type, shape or content."""
    digest = hashlib.sha256(kind.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"|{name}|{array.dtype.str}|{np.shape(arrays[name])}|".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def moved(vectors: Vectors, moves: NDArray[Any]) -> Vectors:
    """Unit vectors of ``vectors + moves``, row by row; a row that the move would cancel stays where it is."""
    sums = vectors + moves
    lengths = np.linalg.norm(sums, axis=-1, keepdims=True)
    # A sum this short is rounding, not a direction.
    cancelled = lengths < np.finfo(np.float32).eps
    return np.asarray(np.where(cancelled, vectors, sums / np.where(cancelled, 1, lengths)), dtype=np.float32)
