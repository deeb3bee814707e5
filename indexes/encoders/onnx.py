"""The fast encoder: any sentence-transformers model, exported to ONNX at its first use and then run without torch."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Fingerprint, Progress, Vectors, unit
from indexes.encoders.deltas import Deltas
from indexes.encoders.exported import ensure, export_folder, is_whole
from indexes.encoders.folder import fingerprint_of
from indexes.encoders.graph import Graph, onnx_errors
from indexes.errors import MissingModelError

Precision = Literal["float32", "int8"]

SHARE = 16  # texts for each thread between two reports of progress

log = logging.getLogger(__name__)


class OnnxEncoder:
    """A sentence-transformers model in a local folder, run by ONNX Runtime. Nothing is loaded before the first use.

    Each text is a run of its own, on one thread; several texts run side by side. On a CPU this is faster than batches,
    in which every text pays for the longest, and it makes an int8 vector depend on its text alone: dynamic quantisation
    fits one scale to all activations of a run, so that in batches of 32 a vector of all-MiniLM-L6-v2 had a cosine of
    .9955 (lowest .9927; 160 passages) with the vector of the same text alone.

    Parameters
    ----------
    folder
        A folder that ``SentenceTransformer`` can read.
    name
        Name for people; the folder's name by default.
    precision
        ``int8`` is about twice as fast; ``float32`` gives torch's vectors (cosine above .9999).
    cache
        Exports lie in ``cache/.onnx``.
    threads
        Texts that are encoded side by side; 0 for one a core.
    deltas
        Added to the weights before the export.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "",
        *,
        precision: Precision,
        cache: Path,
        threads: int = 0,
        deltas: Deltas | None = None,
    ) -> None:
        self.folder = folder
        self.name = name or folder.name
        self.precision = precision
        self.cache = cache
        self.threads = threads
        self.deltas = deltas
        self._graph: Graph | None = None
        self._lock = threading.Lock()

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """Read from the folder's files: no model is loaded."""
        tag = self.deltas.tag if self.deltas else ""
        return fingerprint_of(self.folder, self.name, precision=self.precision, tag=tag)

    @property
    def exported(self) -> bool:
        """Whether the export is there already."""
        return is_whole(export_folder(self.cache, self.fingerprint))

    def with_deltas(self, deltas: Mapping[str, NDArray[np.float32]], tag: str) -> OnnxEncoder:
        """See ``AdaptableEncoder``. The adapted encoder is exported at its first use and has a graph of its own."""
        more = Deltas(deltas, tag)
        return OnnxEncoder(
            self.folder,
            self.name,
            precision=self.precision,
            cache=self.cache,
            threads=self.threads,
            deltas=self.deltas.then(more) if self.deltas else more,
        )

    def encode_questions(self, texts: Sequence[str]) -> Vectors:
        """See ``Encoder``. A single question is encoded in the caller's thread."""
        return self._encode(texts, self.fingerprint.query_prompt)

    def encode_passages(self, texts: Sequence[str], on_progress: Progress | None = None) -> Vectors:
        """See ``Encoder``."""
        return self._encode(texts, self.fingerprint.passage_prompt, on_progress)

    def _encode(self, texts: Sequence[str], prompt: str, on_progress: Progress | None = None) -> Vectors:
        vectors = np.empty((len(texts), self.fingerprint.dimension), dtype=np.float32)
        if not texts:
            return vectors
        graph = self._load()
        if len(texts) == 1:
            vectors[0] = graph.vector(prompt + texts[0])
            if on_progress is not None:
                on_progress(1, 1)
        else:
            self._encode_many(graph, [prompt + text for text in texts], vectors, on_progress)
        return unit(vectors)

    def _encode_many(self, graph: Graph, texts: Sequence[str], vectors: Vectors, on_progress: Progress | None) -> None:
        """Fill ``vectors``. Texts of like length follow each other, so that the threads end a share together."""
        threads = self.threads or _cores()
        order = sorted(range(len(texts)), key=lambda i: (-len(texts[i]), i))
        with ThreadPoolExecutor(min(threads, len(texts)), "encoder") as pool:
            for first in range(0, len(order), SHARE * threads):
                rows = order[first : first + SHARE * threads]
                vectors[rows] = list(pool.map(graph.vector, [texts[i] for i in rows]))
                if on_progress is not None:
                    on_progress(first + len(rows), len(order))

    def _load(self) -> Graph:
        with self._lock:
            if self._graph is None:
                self._graph = self._open(ensure(export_folder(self.cache, self.fingerprint), self._export))
            return self._graph

    def _open(self, folder: Path) -> Graph:
        try:
            return Graph.open(folder)
        except onnx_errors() as error:
            raise MissingModelError(
                f"The exported encoder at {folder} cannot be loaded: {error}",
                "Remove that folder: the encoder is exported again at its next use.",
            ) from error

    def _export(self, into: Path) -> Mapping[str, Any]:
        from indexes.encoders.export import export

        log.info("Exporting the encoder %s to ONNX (%s); this is done once.", self.name, self.precision)
        return export(self.folder, into, self.fingerprint, self.deltas)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
