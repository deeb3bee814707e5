"""The reference encoder: any sentence-transformers model, run by torch."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Fingerprint, Progress, Vectors
from indexes.encoders.deltas import Deltas
from indexes.encoders.folder import fingerprint_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class SentenceTransformerEncoder:
    """Any sentence-transformers model in a local folder. Nothing is loaded before the first use.

    Parameters
    ----------
    folder
        A folder that ``SentenceTransformer`` can read.
    name
        Name for people; the folder's name by default.
    batch_size
        Passages per forward pass.
    deltas
        Added to the weights when they are loaded.
    """

    def __init__(self, folder: Path, name: str = "", batch_size: int = 32, deltas: Deltas | None = None) -> None:
        self.folder = folder
        self.name = name or folder.name
        self.batch_size = batch_size
        self.deltas = deltas
        self._model: SentenceTransformer | None = None
        self._lock = threading.Lock()

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Read from the folder's files: no model is loaded."""
        return fingerprint_of(self.folder, self.name, tag=self.deltas.tag if self.deltas else "")

    def with_deltas(self, deltas: Mapping[str, NDArray[np.float32]], tag: str) -> SentenceTransformerEncoder:
        """See ``AdaptableEncoder``. The adapted encoder loads weights of its own."""
        more = Deltas(deltas, tag)
        more = self.deltas.then(more) if self.deltas else more
        return SentenceTransformerEncoder(self.folder, self.name, self.batch_size, more)

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """See ``Encoder``. One thread: with two busy cores, OpenMP's waiting costs more than its help on short texts."""
        import torch

        if not texts:
            return np.empty((0, self.fingerprint.dimension), dtype=np.float32)
        with self._lock:
            model = self._load()
            threads = torch.get_num_threads()
            torch.set_num_threads(1)
            try:
                vectors = model.encode_query(list(texts), normalize_embeddings=True, show_progress_bar=False)
            finally:
                torch.set_num_threads(threads)
        return np.asarray(vectors, dtype=np.float32)

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
        """See ``Encoder``. Passages are sorted by length, so that a batch holds little padding."""
        order = sorted(range(len(texts)), key=lambda i: (-len(texts[i]), i))
        vectors = np.empty((len(texts), self.fingerprint.dimension), dtype=np.float32)
        with self._lock:
            model = self._load()
            for first in range(0, len(order), self.batch_size):
                rows = order[first : first + self.batch_size]
                batch = [texts[i] for i in rows]
                vectors[rows] = model.encode_document(
                    batch, batch_size=self.batch_size, normalize_embeddings=True, show_progress_bar=False
                )
                if on_progress is not None:
                    on_progress(first + len(rows), len(order))
        return vectors

    def _load(self) -> SentenceTransformer:
        if self._model is None:
            self._model = load_model(self.folder, self.deltas)
        return self._model


def load_model(folder: Path, deltas: Deltas | None = None) -> SentenceTransformer:
    """The model of a folder on the CPU, with the deltas added to its transformer.

    Raises
    ------
    InputError
        Deltas that do not fit the model.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    if deltas is not None:
        transformer: Any = model[0]
        deltas.add_to(transformer.auto_model)
    return model
