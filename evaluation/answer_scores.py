"""Each stored answer as numbers: exact match, F1, containment, and whether there was an answer at all.

A question that the sources cannot answer is right where it is refused, and only there (SQuAD 2.0: Rajpurkar et al.,
ACL 2018). A question that was skipped scores 0 in everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.answer_records import Record
from evaluation.answers import contains, exact_match, token_f1

Scores = dict[str, NDArray[np.float64]]

_AGAINST_GOLD: dict[str, Callable[[str, Sequence[str]], float]] = {
    "EM": exact_match,
    "F1": token_f1,
    "contains": contains,
}
QUALITY = (*_AGAINST_GOLD, "answered")


def right(record: Record) -> bool:
    """Whether the answer holds a gold answer, or refuses where the sources cannot answer."""
    return _against_gold(record, "contains") == 1.0


def score(records: Sequence[Record]) -> Scores:
    """``EM``, ``F1``, ``contains`` and ``answered`` of each record, shape ``(n,)``.

    NaN where a question has no gold answer to compare with, though the sources can answer it.
    """
    return {
        **{measure: np.array([_against_gold(record, measure) for record in records]) for measure in _AGAINST_GOLD},
        "answered": np.array([float(record.answered) for record in records]),
    }


def _against_gold(record: Record, measure: str) -> float:
    question = record.question
    if not question.answerable:
        return float(record.refused)
    if not question.answers:
        return float("nan")
    return _AGAINST_GOLD[measure](record.said, question.answers) if record.answered else 0.0
