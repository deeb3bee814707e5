"""Reranking: a cross-encoder reads the question and a passage together, which is slower and often better than two vectors."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexes.errors import InputError, MissingModelError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

Hit = tuple[str, str, float]  # id, text, score
TASK = "ForSequenceClassification"


class Reranker(Protocol):
    """Judges how relevant passages are to a question."""

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Log-odds of relevance ``[len(texts)]``; larger is better."""


def rerank(reranker: Reranker, question: str, hits: Sequence[Hit]) -> list[Hit]:
    """Give the hits with the reranker's scores: best first, ties by id.

    Raises
    ------
    InputError
        The reranker's scores are not one finite number a hit.
    """
    if not hits:
        return []
    scores = reranker.scores(question, [text for _, text, _ in hits])
    if scores.shape != (len(hits),) or not np.isfinite(scores).all():
        raise InputError(
            f"The reranker gave scores of the shape {scores.shape} for {len(hits)} passages, or some are not finite.",
            "Use a cross-encoder with one output, or switch reranking off.",
        )
    scored = [(passage, text, float(score)) for (passage, text, _), score in zip(hits, scores, strict=True)]
    return sorted(scored, key=lambda hit: (-hit[2], hit[0]))


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder in a local folder. Nothing is loaded before the first use.

    Parameters
    ----------
    folder
        A folder that ``CrossEncoder`` can read, of a model with one output.
    batch_size
        Passages per forward pass.
    """

    def __init__(self, folder: Path, batch_size: int = 16) -> None:
        self.folder = folder
        self.batch_size = batch_size
        self._model: CrossEncoder | None = None
        self._lock = threading.Lock()

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ``Reranker``: the model's output before any sigmoid, whatever activation its folder names.

        Raises
        ------
        MissingModelError
            The folder does not exist, is damaged, or holds another kind of model.
        """
        if not texts:
            return np.empty(0, dtype=np.float32)
        with self._lock:
            model = self._load()
            from torch import nn

            logits = model.predict(
                [(question, text) for text in texts],
                batch_size=self.batch_size,
                activation_fn=nn.Identity(),
                show_progress_bar=False,
            )
        return np.asarray(logits, dtype=np.float32)

    def _load(self) -> CrossEncoder:
        if self._model is None:
            self._model = _load_model(self.folder)
        return self._model


def _load_model(folder: Path) -> CrossEncoder:
    if not folder.is_dir():
        raise MissingModelError(
            f"The model folder {folder} does not exist.", "Run `symposia models list` to see which models are here."
        )
    if not _is_cross_encoder(folder):
        raise MissingModelError(
            f"The folder {folder} holds no cross-encoder.",
            "Name the folder of a model that scores pairs of texts, such as ms-marco-MiniLM-L6-v2.",
        )
    from safetensors import SafetensorError
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model: CrossEncoder = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    except (OSError, ValueError, SafetensorError) as error:
        raise MissingModelError(
            f"The cross-encoder in {folder} cannot be loaded: {error}", "Fetch or copy the folder again."
        ) from error
    if model.num_labels != 1:
        raise MissingModelError(
            f"The cross-encoder in {folder} has {model.num_labels} outputs, so none of them is the relevance.",
            "Name the folder of a cross-encoder with one output.",
        )
    return model


def _is_cross_encoder(folder: Path) -> bool:
    """Whether it was saved as one. The library would give any other model a random last layer, and random scores."""
    if _read(folder / "config_sentence_transformers.json").get("model_type") == "CrossEncoder":
        return True
    return any(str(name).endswith(TASK) for name in _read(folder / "config.json").get("architectures") or ())


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
