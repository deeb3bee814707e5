"""Encoders turn text into vectors. A slice remembers the fingerprint of the encoder that it was built with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexes.errors import InputError, MissingModelError

Vectors = NDArray[np.float32]
Progress = Callable[[int, int], None]

DEFINING = {".json", ".safetensors", ".txt", ".bin", ".model"}
OURS = "symposia.json"
EDGE_BYTES = 1 << 16
WHOLE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What must be equal for two sets of vectors to be comparable.

    Parameters
    ----------
    model
        Name for people.
    revision
        Hash over the model's files (all of each small file; size, first and last 64 KiB of each large one).
    dimension
        Length of a vector.
    query_prompt, passage_prompt
        Text put in front of questions and passages.
    precision
        Of the encoder's arithmetic. Vectors of ``float32`` and ``int8`` are near each other, yet rank worse when mixed.
    """

    model: str
    revision: str
    dimension: int
    query_prompt: str = ""
    passage_prompt: str = ""
    precision: str = "float32"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


class Encoder(Protocol):
    """Turns questions and passages into vectors of unit length in one space."""

    @property
    def fingerprint(self) -> Fingerprint:
        """Identity of the vector space."""

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors ``[len(texts), dimension]`` of questions."""

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
        """Unit vectors ``[len(texts), dimension]`` of passages; ``on_progress(done, total)`` after each batch."""


class AdaptableEncoder(Encoder, Protocol):
    """An encoder that can be had again with other weights."""

    def with_deltas(self, deltas: Mapping[str, NDArray[np.float32]], tag: str) -> AdaptableEncoder:
        """Give the same encoder with ``parameter += delta``, under a revision of its own; this one stays as it is.

        Parameters
        ----------
        deltas
            By the parameter's name in the transformers model (``named_parameters()``); of the parameter's shape.
        tag
            Hash of the deltas. The adapted encoder's revision is ``f"{revision}+{tag}"``.

        Raises
        ------
        InputError
            A tag that is no file name; at the first use, a name that no parameter has or another shape than its.
        """


def revision_of(folder: Path) -> str:
    """Short hash over a model folder's files; cheap even for gigabytes of weights."""
    if not folder.is_dir():
        raise MissingModelError(
            f"The model folder {folder} does not exist.", "Run `symposia models list` to see which models are here."
        )
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in DEFINING and p.name != OURS):
        size = path.stat().st_size
        digest.update(f"{path.relative_to(folder)}:{size}".encode())
        with path.open("rb") as file:
            if size <= WHOLE_BYTES:
                digest.update(file.read())
            else:
                digest.update(file.read(EDGE_BYTES))
                file.seek(-EDGE_BYTES, 2)
                digest.update(file.read(EDGE_BYTES))
    return digest.hexdigest()[:16]


def unit(vectors: NDArray[Any]) -> Vectors:
    """Rows scaled to length 1, as float32; a zero row is an error, since it has no direction."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not np.all(lengths > 0):
        raise InputError("A vector of length zero has no direction.", "Give the encoder a text with at least one word.")
    return np.asarray(vectors / lengths, dtype=np.float32)
