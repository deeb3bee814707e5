"""A residual linear map of question vectors, and of passage vectors where it is two-sided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.adapters.base import Arrays, key_of, moved
from indexes.encoders.base import Encoder, Vectors


@dataclass(frozen=True, eq=False)
class Linear:
    """``q' = unit(q + λ q Δᵀ)``, and ``d' = unit(d + λ d Γᵀ)`` where ``passage`` is given.

    A zero map or a strength of 0 is the identity, so training starts there and cannot lose what the base knows.

    Parameters
    ----------
    question
        Δ, float32 ``[dimension, dimension]``.
    strength
        λ.
    passage
        Γ, float32 ``[dimension, dimension]``; ``None`` where passages keep their vectors.

    Raises
    ------
    ValueError
        Where a map is not square, is of another size than the other, or has values that are no finite numbers.
    """

    question: NDArray[np.float32]
    strength: float = 1.0
    passage: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "question", _checked(self.question, len(self.question)))
        object.__setattr__(self, "strength", float(self.strength))
        if self.passage is not None:
            object.__setattr__(self, "passage", _checked(self.passage, len(self.question)))
        if not np.isfinite(self.strength):
            raise ValueError(f"strength is {self.strength}")

    @classmethod
    def from_arrays(cls, arrays: Arrays, encoder: Encoder) -> Linear:
        """Make the adapter that gave these arrays; a ``ValueError`` where they do not fit the encoder's vectors."""
        _checked(arrays["question"], encoder.fingerprint.dimension)
        return cls(arrays["question"], float(arrays["strength"]), arrays.get("passage"))

    @property
    def kind(self) -> str:
        """See ``Adapter``."""
        return "linear" if self.passage is None else "two-sided"

    @cached_property
    def key(self) -> str:
        """See ``Adapter``."""
        return key_of(self.kind, self.arrays())

    @property
    def moves_passages(self) -> bool:
        """See ``Adapter``."""
        return self.passage is not None and self.strength != 0

    def questions(self, _texts: Sequence[str], vectors: Vectors) -> Vectors:
        """See ``Adapter``."""
        return self._map(vectors, self.question)

    def passages(self, _ids: Sequence[str], vectors: Vectors) -> Vectors:
        """See ``Adapter``."""
        return vectors if self.passage is None else self._map(vectors, self.passage)

    def asking(self) -> Linear:
        """See ``Adapter``."""
        return self if self.passage is None else Linear(self.question, self.strength)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See ``Adapter``."""
        kept: dict[str, NDArray[Any]] = {"question": self.question, "strength": np.array(self.strength)}
        return kept if self.passage is None else kept | {"passage": self.passage}

    def _map(self, vectors: Vectors, residual: NDArray[np.float32]) -> Vectors:
        return vectors if self.strength == 0 else moved(vectors, np.float32(self.strength) * (vectors @ residual.T))


def _checked(residual: NDArray[Any], dimension: int) -> NDArray[np.float32]:
    """A private read-only float32 copy, so that the key stays true."""
    copy = np.array(residual, dtype=np.float32, order="C")
    if copy.shape != (dimension, dimension):
        raise ValueError(f"a residual map has shape {copy.shape}, not {(dimension, dimension)}")
    if not np.all(np.isfinite(copy)):
        raise ValueError("a residual map holds values that are no finite numbers")
    copy.flags.writeable = False
    return copy
