"""Labelled questions: what adapters are trained on and chosen by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Encoder, Vectors

NEAR = 0.9
SHARE = 0.2
LEAST = 50

Rows = Mapping[int, float]
"""Row of a passage in an array of the slice's vectors, to the grade of its relevance."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Questions with the passages that answer them.

    Parameters
    ----------
    questions
        In words, each once.
    relevant
        For each question, passage id to grade above 0. A grade of 2 weighs twice as much as a grade of 1.
    """

    questions: tuple[str, ...] = ()
    relevant: tuple[Mapping[str, float], ...] = ()

    def __post_init__(self) -> None:
        if len(self.questions) != len(self.relevant):
            raise ValueError(f"{len(self.questions)} questions, but relevant passages of {len(self.relevant)}")

    def __len__(self) -> int:
        return len(self.questions)

    def __str__(self) -> str:
        return f"{len(self)} questions with {sum(map(len, self.relevant))} relevant passages"

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, Mapping[str, float]]]) -> Labelled:
        """Gather pairs in the order of their first question.

        Questions equal but for case and spaces are one, with the higher grade where both grade a passage. Grades of 0 and
        below are left out, and so are questions that no passage answers.
        """
        gathered: dict[str, tuple[str, dict[str, float]]] = {}
        for question, grades in pairs:
            positive = {passage: float(grade) for passage, grade in grades.items() if grade > 0}
            if not positive:
                continue
            _, known = gathered.setdefault(" ".join(question.lower().split()), (question, {}))
            for passage, grade in positive.items():
                known[passage] = max(grade, known.get(passage, 0.0))
        return cls(tuple(q for q, _ in gathered.values()), tuple(grades for _, grades in gathered.values()))

    def take(self, chosen: Sequence[int] | NDArray[np.integer] | NDArray[np.bool_]) -> Labelled:
        """Those of the questions, by position or by a mask of all."""
        positions = np.arange(len(self))[np.asarray(chosen)] if len(chosen) else []
        return Labelled(tuple(self.questions[i] for i in positions), tuple(self.relevant[i] for i in positions))

    def rows(self, row: Mapping[str, int]) -> tuple[dict[int, float], ...]:
        """The relevant passages of each question as rows of the slice's arrays; a ``KeyError`` for one it lacks."""
        return tuple({row[passage]: grade for passage, grade in grades.items()} for grades in self.relevant)

    @property
    def digest(self) -> str:
        """16 hex characters over questions and grades, in order."""
        digest = hashlib.sha256()
        for question, grades in zip(self.questions, self.relevant, strict=True):
            digest.update(f"{question}\x1e".encode("utf-8", "backslashreplace"))
            digest.update("\x1f".join(f"{p}={g}" for p, g in sorted(grades.items())).encode() + b"\x1d")
        return digest.hexdigest()[:16]


def hold_out(count: int, seed: int, share: float = SHARE, least: int = LEAST) -> NDArray[np.bool_]:
    """Which of ``count`` questions to hold out for dev, by chance: a ``share``, at least ``least``, at most half."""
    held = min(max(round(share * count), least), count // 2)
    mask = np.zeros(count, dtype=bool)
    mask[np.random.default_rng(seed).permutation(count)[:held]] = True
    return mask


def near_duplicates(vectors: Vectors, others: Vectors, threshold: float = NEAR) -> NDArray[np.bool_]:
    """Which of the unit ``vectors`` ``[n, d]`` have a cosine above ``threshold`` with any of ``others`` ``[m, d]``."""
    if not len(vectors) or not len(others):
        return np.zeros(len(vectors), dtype=bool)
    best: NDArray[np.float32] = (vectors @ others.T).max(axis=1)
    return best > threshold


def without_near_duplicates(
    train: Labelled, others: Sequence[str], encoder: Encoder, threshold: float = NEAR
) -> Labelled:
    """``train`` without the questions that nearly repeat one of ``others``, such as those of a test split.

    Benchmarks hold the same claim in several words on both sides of a split (SciFact: 125 of 809 training questions), and
    what is learnt from one is then credited to the other.
    """
    if not len(train) or not others:
        return train
    found = near_duplicates(encoder.encode_questions(train.questions), encoder.encode_questions(others), threshold)
    return train.take(~found)
