"""The reference encoder: any sentence-transformers model, run by torch."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexes.encoders.base import Fingerprint, Progress, Vectors, revision_of

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
    """

    def __init__(self, folder: Path, name: str = "", batch_size: int = 32) -> None:
        self.folder = folder
        self.name = name or folder.name
        self.batch_size = batch_size
        self._model: SentenceTransformer | None = None
        self._lock = threading.Lock()

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Read from the folder's files: no model is loaded."""
        prompts = _read_json(self.folder / "config_sentence_transformers.json").get("prompts", {})
        return Fingerprint(
            model=self.name,
            revision=revision_of(self.folder),
            dimension=self._dimension(),
            query_prompt=prompts.get("query", ""),
            passage_prompt=prompts.get("document", ""),
        )

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """See ``Encoder``. One thread: with two busy cores, OpenMP's waiting costs more than its help on short texts."""
        import torch

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
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            self._model = SentenceTransformer(str(self.folder), device="cpu", local_files_only=True)
        return self._model

    def _dimension(self) -> int:
        for pooling in sorted(self.folder.glob("*_Pooling/config.json")):
            values = _read_json(pooling)
            dimension = values.get("word_embedding_dimension", values.get("embedding_dimension"))
            if dimension is not None:
                return int(dimension)
        return int(_read_json(self.folder / "config.json")["hidden_size"])


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
