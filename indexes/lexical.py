"""BM25 as sparse vectors: term weights are made here, inverse document frequencies are applied by the store.

The terms, stemming and stop words are those of Qdrant's own BM25 model, so that the same vectors work on every store.
"""

from __future__ import annotations

from dataclasses import dataclass

import qdrant_edge as edge

from indexes.invisible import words_of
from indexes.store.base import SparseVector
from indexes.unspaced import spaced


@dataclass(frozen=True, slots=True)
class Bm25Settings:
    """Parameters of BM25 (Robertson and Zaragoza 2009, eq. 3.15).

    Parameters
    ----------
    average_length
        Mean number of terms in a passage; fixed when a slice is created.
    k1, b
        Term frequency saturation and length normalisation.
    language
        Language of the stemmer and the stop words.
    """

    average_length: float
    k1: float = 1.2
    b: float = 0.75
    language: str = "english"


class Bm25:
    """Turns text into sparse term weights."""

    def __init__(self, settings: Bm25Settings) -> None:
        self.settings = settings
        self._model = edge.Bm25(
            edge.Bm25Config(
                k=settings.k1,
                b=settings.b,
                avg_len=settings.average_length,
                language=settings.language,
                ascii_folding=True,
            )
        )

    def question(self, text: str) -> SparseVector:
        """Weight 1 for each distinct term."""
        return _plain(self._model.embed_query(spaced(words_of(text))))

    def passage(self, text: str) -> SparseVector:
        """Saturated, length-normalised term frequencies."""
        return _plain(self._model.embed_document(spaced(words_of(text))))


def average_length(texts: list[str]) -> float:
    """Mean number of words of the texts, at least 1: a good estimate of their mean number of terms."""
    return max(1.0, sum(len(spaced(text).split()) for text in texts) / max(1, len(texts)))


def _plain(vector: edge.SparseVector) -> SparseVector:
    return SparseVector(tuple(vector.indices), tuple(vector.values))
