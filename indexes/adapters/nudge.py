"""Passages moved towards the questions that they answer (NUDGE, arXiv 2409.02343)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexes.adapters.base import Adapter, Arrays, Identity, key_of, moved
from indexes.adapters.linear import Linear
from indexes.encoders.base import Encoder, Vectors


@dataclass(frozen=True, eq=False)
class Nudged:
    """``d' = unit(d + move)`` for the passages that training questions asked for; the others stay.

    Parameters
    ----------
    ids
        Of the moved passages, each once.
    moves
        float32 ``[len(ids), dimension]``.
    linear
        Map of the questions, and of passages before they are moved where it is two-sided; ``None`` leaves questions
        as they are.

    Raises
    ------
    ValueError
        Where ids and moves differ in number, an id occurs twice, or a move holds values that are no finite numbers.
    """

    ids: tuple[str, ...]
    moves: NDArray[np.float32]
    linear: Linear | None = None

    kind = "nudge"

    def __post_init__(self) -> None:
        moves = np.array(self.moves, dtype=np.float32, order="C")
        if moves.ndim != 2 or len(moves) != len(self.ids) or len(set(self.ids)) != len(self.ids):
            raise ValueError(f"{len(self.ids)} ids ({len(set(self.ids))} distinct) do not fit moves of {moves.shape}")
        if not np.all(np.isfinite(moves)):
            raise ValueError("a move holds values that are no finite numbers")
        moves.flags.writeable = False
        object.__setattr__(self, "ids", tuple(self.ids))
        object.__setattr__(self, "moves", moves)

    @classmethod
    def from_arrays(cls, arrays: Arrays, encoder: Encoder) -> Nudged:
        """Make the adapter that gave these arrays; a ``ValueError`` where they do not fit the encoder's vectors."""
        if arrays["moves"].shape[-1] != encoder.fingerprint.dimension:
            raise ValueError(f"moves of {arrays['moves'].shape} do not fit {encoder.fingerprint.dimension} dimensions")
        linear = Linear.from_arrays(arrays, encoder) if "question" in arrays else None
        return cls(tuple(str(i) for i in arrays["ids"]), arrays["moves"], linear)

    @cached_property
    def key(self) -> str:
        """See ``Adapter``."""
        return key_of(self.kind, self.arrays())

    @property
    def moves_passages(self) -> bool:
        """See ``Adapter``."""
        return bool(self.ids) or (self.linear is not None and self.linear.moves_passages)

    def questions(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        """See ``Adapter``."""
        return vectors if self.linear is None else self.linear.questions(texts, vectors)

    def passages(self, ids: Sequence[str], vectors: Vectors) -> Vectors:
        """See ``Adapter``."""
        if self.linear is not None:
            vectors = self.linear.passages(ids, vectors)
        known = [(row, place) for row, i in enumerate(ids) if (place := self._places.get(i)) is not None]
        if not known:
            return vectors
        rows, places = (list(column) for column in zip(*known, strict=True))
        searched = vectors.copy()
        searched[rows] = moved(vectors[rows], self.moves[places])
        return searched

    def asking(self) -> Adapter:
        """See ``Adapter``."""
        return Identity() if self.linear is None else self.linear.asking()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See ``Adapter``."""
        kept: dict[str, NDArray[Any]] = {"ids": np.array(self.ids, dtype=np.str_), "moves": self.moves}
        return kept if self.linear is None else kept | self.linear.arrays()

    @cached_property
    def _places(self) -> dict[str, int]:
        return {i: place for place, i in enumerate(self.ids)}
