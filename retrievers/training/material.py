"""What one training works with: the slice's base vectors, and labelled questions as vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from indexes.adapters.base import Adapter
from indexes.encoders.base import Encoder, Vectors
from retrievers.training.folds import Fold
from retrievers.training.linear import Questions
from retrievers.training.measure import ndcg, top
from retrievers.training.pairs import Labelled

BATCH = 256


@dataclass(frozen=True)
class Examples:
    """Labelled questions and their base unit vectors ``[n, d]``."""

    labelled: Labelled
    vectors: Vectors

    @classmethod
    def of(
        cls, labelled: Labelled, encoder: Encoder, on_progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> Examples:
        """Encode the questions; ``on_progress(done, total)`` after each batch."""
        texts = labelled.questions
        batches = [np.zeros((0, encoder.fingerprint.dimension), dtype=np.float32)]
        for start in range(0, len(texts), BATCH):
            batches.append(encoder.encode_questions(texts[start : start + BATCH]))
            on_progress(min(start + BATCH, len(texts)), len(texts))
        return cls(labelled, np.concatenate(batches))

    def __len__(self) -> int:
        return len(self.labelled)

    def __add__(self, other: Examples) -> Examples:
        labelled = Labelled(
            self.labelled.questions + other.labelled.questions, self.labelled.relevant + other.labelled.relevant
        )
        return Examples(labelled, np.concatenate([self.vectors, other.vectors]))

    def take(self, chosen: NDArray[np.integer] | NDArray[np.bool_]) -> Examples:
        """Those at some positions, or of a mask."""
        return Examples(self.labelled.take(chosen), self.vectors[chosen])


@dataclass(frozen=True)
class Material:
    """A slice, and the questions that an adapter of it is trained on and chosen by.

    Parameters
    ----------
    ids
        Of the slice's passages, ascending.
    passages
        Their base unit vectors ``[passages, d]``.
    examples
        All questions; their relevant passages are among ``ids``.
    folds
        Which of them train and which judge, at least one fold.
    """

    ids: tuple[str, ...]
    passages: Vectors
    examples: Examples
    folds: Sequence[Fold]

    @cached_property
    def row(self) -> Mapping[str, int]:
        """Row of each passage."""
        return {passage: row for row, passage in enumerate(self.ids)}

    def questions(self, examples: Examples) -> Questions:
        """Examples as the trainers take them."""
        return Questions(examples.vectors, examples.labelled.rows(self.row))

    def scores(self, adapter: Adapter, examples: Examples) -> NDArray[np.float64]:
        """nDCG@10 of each question by dense search over the whole slice under ``adapter``, ``[n]``."""
        questions = adapter.questions(examples.labelled.questions, examples.vectors)
        passages = adapter.passages(self.ids, self.passages)
        return ndcg(questions, passages, examples.labelled.rows(self.row))

    def judged(self, adapters: Sequence[Adapter]) -> NDArray[np.float64]:
        """Scores of all judging questions, each under the adapter of its own fold, which was not trained on it."""
        pairs = zip(adapters, self.folds, strict=True)
        return np.concatenate([self.scores(adapter, self.examples.take(fold.dev)) for adapter, fold in pairs])

    def overlap(self, adapter: Adapter, texts: Sequence[str], vectors: Vectors, depth: int = 10) -> float:
        """Share of the ``depth`` best passages of each question that are among its best under ``adapter`` too, on average."""
        before = top(vectors, self.passages, depth)
        after = top(adapter.questions(texts, vectors), adapter.passages(self.ids, self.passages), depth)
        pairs = zip(before.tolist(), after.tolist(), strict=True)
        return float(np.mean([len(set(one) & set(other)) / len(one) for one, other in pairs]))
