"""Precision and recall of citations, against gold passages or by a judge.

Against gold passages, for each answer: *precision* is the share of the cited passages that are gold, *recall* the share of
the gold passages that are cited, *F1* their harmonic mean. An answer that cites nothing has 0 in all three. Means are
over answers ("macro"), so an answer with many citations counts as much as any other.

By a judge φ (premise, hypothesis → does the premise entail it?), as ALCE defines them: Gao et al., "Enabling Large Language
Models to Generate Text with Citations", EMNLP 2023 (arXiv 2305.14627), section 4, and the authors' ``eval.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.comparison import compare
from evaluation.report import Table
from indexes.errors import InputError

MEASURES = ("precision", "recall", "F1")

Judge = Callable[[str, str], bool]
"""Whether the first text (premise) entails the second (hypothesis)."""


@dataclass(frozen=True, slots=True)
class CitationScore:
    """Of one answer, each from 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean; 0 where both are 0."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total > 0 else 0.0


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """A sentence without its marks, and the texts of the passages that it cites."""

    text: str
    passages: tuple[str, ...]


def citation_score(cited: Collection[int], gold: Collection[int]) -> CitationScore:
    """Score the distinct passages that an answer cites.

    Raises
    ------
    InputError
        There is no gold passage: then no citation could be right, and the answer belongs in no mean.
    """
    wanted, given = frozenset(gold), frozenset(cited)
    if not wanted:
        raise InputError("An answer has no gold passage.", "Leave it out of the set.")
    right = len(wanted & given)
    return CitationScore(right / len(given) if given else 0.0, right / len(wanted))


def compare_citations(
    title: str,
    systems: Mapping[str, Sequence[Collection[int]]],
    gold: Sequence[Collection[int]],
    *,
    baseline: str = "",
    seed: int = 0,
    resamples: int = 10_000,
    notes: Sequence[str] = (),
) -> Table:
    """Precision, recall and F1 of each system, with intervals, and paired tests against the baseline.

    Parameters
    ----------
    systems
        Name to the passages cited in each answer, in the order of ``gold``.
    gold
        For each answer, its gold passages.
    baseline
        Whom the others are compared with; by default the first system.

    Raises
    ------
    InputError
        For no systems, no answers, or an answer without gold passages.
    ValueError
        Where a system has another number of answers than ``gold``.
    """
    scores: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, cited in systems.items():
        found = [citation_score(each, wanted) for each, wanted in zip(cited, gold, strict=True)]
        columns = [[score.precision, score.recall, score.f1] for score in found]
        scores[name] = dict(zip(MEASURES, np.array(columns).reshape(-1, len(MEASURES)).T, strict=True))
    definition = "Of each answer: share of its citations that are gold, share of the gold cited; none cited scores 0."
    return compare(title, scores, baseline=baseline, seed=seed, resamples=resamples, notes=(definition, *notes))


def alce_score(answer: Sequence[CitedSentence], judge: Judge) -> CitationScore:
    """Citation recall and precision of one answer by a judge.

    A sentence is recalled where its cited passages together entail it; one without citations is not. A citation is precise
    where its sentence is recalled, unless there are several and it is irrelevant: it does not entail the sentence
    alone, and the others do without it. Recall is a mean over sentences, precision over citations; 0 where there is none.
    Whoever prints these numbers names the judge.
    """
    recalled, precise = [], []
    for sentence in answer:
        whole = bool(sentence.passages) and judge("\n".join(sentence.passages), sentence.text)
        recalled.append(whole)
        precise += [whole and _relevant(sentence, position, judge) for position in range(len(sentence.passages))]
    return CitationScore(float(np.mean(precise)) if precise else 0.0, float(np.mean(recalled)) if recalled else 0.0)


def _relevant(sentence: CitedSentence, position: int, judge: Judge) -> bool:
    others = [text for index, text in enumerate(sentence.passages) if index != position]
    if not others or judge(sentence.passages[position], sentence.text):
        return True
    return not judge("\n".join(others), sentence.text)
