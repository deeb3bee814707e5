"""From the name of a runtime to an encoder. Nothing is loaded here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from indexes.encoders.base import AdaptableEncoder
from indexes.encoders.onnx import OnnxEncoder
from indexes.encoders.sentence_transformer import SentenceTransformerEncoder

Runtime = Literal["int8", "float32", "torch"]


def open_encoder(folder: Path, name: str, runtime: Runtime, cache: Path, threads: int = 0) -> AdaptableEncoder:
    """Give the encoder of a sentence-transformers folder.

    Parameters
    ----------
    name
        Name for people.
    runtime
        ``int8`` and ``float32`` by ONNX Runtime, or ``torch``, the reference, whose vectors ``float32`` gives as well.
    cache
        Folder of the models; exports lie in it.
    threads
        0 for all cores; for ONNX Runtime only.
    """
    if runtime == "torch":
        return SentenceTransformerEncoder(folder, name)
    return OnnxEncoder(folder, name, precision=runtime, cache=cache, threads=threads)
