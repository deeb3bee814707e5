"""One exported encoder in memory: a text comes in, its vector goes out. Needs numpy, tokenizers and onnxruntime only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.exported import MODEL, TOKENIZER

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

ERRORS_ONLY = 3


class Graph:
    """A tokenizer and a session of one thread. Safe to use from several threads at once.

    Parameters
    ----------
    tokenizer
        Truncates to the model's limit and does not pad.
    session
        Takes the ids of one text, ``[1, tokens]``, and gives its vector, ``[1, dimension]``.
    """

    def __init__(self, tokenizer: Tokenizer, session: InferenceSession) -> None:
        self._tokenizer = tokenizer
        self._session = session
        self._input = session.get_inputs()[0].name

    @classmethod
    def open(cls, folder: Path) -> Graph:
        """Load from the folder of an export."""
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer

        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = ERRORS_ONLY
        session = InferenceSession(str(folder / MODEL), options, providers=["CPUExecutionProvider"])
        return cls(Tokenizer.from_file(str(folder / TOKENIZER)), session)

    def vector(self, text: str) -> NDArray[np.float32]:
        """The vector ``[dimension]`` of a text."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        [rows] = self._session.run(None, {self._input: ids})
        vector: NDArray[np.float32] = rows[0]
        return vector


def onnx_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises on a graph that it cannot load or run: they have no base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (
        state.Fail,
        state.InvalidArgument,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.NotImplemented,
        state.RuntimeException,
    )
