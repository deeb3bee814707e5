"""Low-rank changes to the encoder's attention (LoRA, arXiv 2106.09685), through which questions are encoded anew."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from indexes.adapters.base import Arrays, key_of
from indexes.encoders.base import AdaptableEncoder, Encoder, Vectors
from indexes.errors import SliceError

A, B = ".lora_A.weight", ".lora_B.weight"  # as PEFT names them, after the module's name
ALPHA = "alpha"


class Lora:
    """Questions are encoded with ``W + (alpha / rank) · B A`` in the adapted modules; passages keep their base vectors.

    Only questions move, so that a slice is embedded once and shared by its adapters. An adapter of both sides would need
    all passages embedded anew: that is another encoder, and is named as such in the settings.

    It is kept in a fraction of a megabyte, but once asked it costs what its encoder costs: with all-MiniLM-L6-v2 in int8,
    23 MB, and a second encoding of each question that the router has encoded already.

    Parameters
    ----------
    factors
        For each adapted module of the transformers model, float32 ``<module>.lora_A.weight`` ``[rank, inputs]`` and
        ``<module>.lora_B.weight`` ``[outputs, rank]``.
    alpha
        Strength; 0 is the base.
    encoder
        The base encoder. Nothing is asked of it before the first question.

    Raises
    ------
    ValueError
        Where a factor lacks its other half, shapes do not fit, or values are no finite numbers.
    """

    kind = "lora"
    moves_passages = False

    def __init__(self, factors: Mapping[str, NDArray[Any]], alpha: float, encoder: Encoder) -> None:
        self.factors = {name: _checked(name, factor) for name, factor in sorted(factors.items())}
        self.alpha = float(alpha)
        self.encoder = encoder
        self._adapted: Encoder | None = None
        self._lock = threading.Lock()
        if not np.isfinite(self.alpha):
            raise ValueError(f"alpha is {self.alpha}")
        self.modules = _modules(self.factors)

    @classmethod
    def from_arrays(cls, arrays: Arrays, encoder: Encoder) -> Lora:
        """Make the adapter that gave these arrays."""
        return cls({name: array for name, array in arrays.items() if name != ALPHA}, float(arrays[ALPHA]), encoder)

    @classmethod
    def mean(cls, loras: Sequence[Lora]) -> Lora:
        """The adapter whose deltas are the mean of the others', exactly: its rank is the sum of theirs.

        Raises
        ------
        ValueError
            Where modules, ranks or alpha differ.
        """
        first = loras[0]
        like = {(lora.alpha, *((name, factor.shape) for name, factor in lora.factors.items())) for lora in loras}
        if len(like) != 1:
            raise ValueError("the mean is of adapters that have the same modules, ranks and alpha")
        joined = {
            name: np.concatenate([lora.factors[name] for lora in loras], axis=0 if name.endswith(A) else 1)
            for name in first.factors
        }
        return cls(joined, first.alpha, first.encoder)

    @cached_property
    def key(self) -> str:
        """See ``Adapter``."""
        return key_of(self.kind, self.arrays())

    @property
    def deltas(self) -> dict[str, NDArray[np.float32]]:
        """What is added to the encoder's weights, by the parameter's name; float32 ``[outputs, inputs]``."""
        return deltas_of(self.factors, self.alpha)

    def questions(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        """See ``Adapter``. The first call makes the adapted encoder, which takes seconds."""
        if not len(texts) or self._changes_nothing:
            return vectors
        return self._encoder().encode_questions(texts)

    def passages(self, _ids: Sequence[str], vectors: Vectors) -> Vectors:
        """See ``Adapter``."""
        return vectors

    def asking(self) -> Lora:
        """See ``Adapter``."""
        return self

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See ``Adapter``."""
        return {**self.factors, ALPHA: np.array(self.alpha)}

    @cached_property
    def _changes_nothing(self) -> bool:
        return self.alpha == 0 or not any(self.factors[module + B].any() for module in self.modules)

    def _encoder(self) -> Encoder:
        with self._lock:
            if self._adapted is None:
                if not hasattr(self.encoder, "with_deltas"):
                    raise SliceError(
                        f"The encoder {self.encoder.fingerprint.model!r} cannot take the weights of a LoRA adapter.",
                        "Set [models] to an encoder that runs here with ONNX or torch, or train a linear adapter with "
                        "`symposia train --kind linear`.",
                    )
                self._adapted = cast(AdaptableEncoder, self.encoder).with_deltas(self.deltas, tag=self.key)
            return self._adapted


def deltas_of(factors: Mapping[str, NDArray[Any]], alpha: float) -> dict[str, NDArray[np.float32]]:
    """``(alpha / rank) · B A`` of each module, by the name of its weight; float32 ``[outputs, inputs]``."""
    modules = [name.removesuffix(A) for name in factors if name.endswith(A)]
    return {f"{module}.weight": _delta(factors[module + A], factors[module + B], alpha) for module in modules}


def _delta(first: NDArray[Any], second: NDArray[Any], alpha: float) -> NDArray[np.float32]:
    return np.asarray(np.float32(alpha / len(first)) * (second @ first), dtype=np.float32)


def _modules(factors: Mapping[str, NDArray[np.float32]]) -> tuple[str, ...]:
    modules = tuple(name.removesuffix(A) for name in factors if name.endswith(A))
    if not modules or set(factors) != {module + end for module in modules for end in (A, B)}:
        raise ValueError("each adapted module needs a lora_A and a lora_B, and nothing else")
    for module in modules:
        first, second = factors[module + A], factors[module + B]
        if not len(first) or len(first) != second.shape[1]:
            raise ValueError(f"the factors of {module} have shapes {first.shape} and {second.shape}")
    return modules


def _checked(name: str, factor: NDArray[Any]) -> NDArray[np.float32]:
    """A private read-only float32 copy, so that the key stays true."""
    copy = np.array(factor, dtype=np.float32, order="C")
    if copy.ndim != 2:
        raise ValueError(f"{name} has shape {copy.shape}")
    if not np.all(np.isfinite(copy)):
        raise ValueError(f"{name} holds values that are no finite numbers")
    copy.flags.writeable = False
    return copy
