"""Fit the models of ``generators.citations.pair_model`` on HotpotQA's training questions.

Each question is seen with its gold answer in few words and as a statement, and each of these with the passages' titles and
without, so that the models serve corpora that have none. The thresholds are those with the best F1 in five-fold
cross-validation over questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.bench.citations.contexts import Cited
from evaluation.citations import citation_score
from generators.citations.attribution import MOST_CITATIONS
from generators.citations.pair_model import COLUMNS, COSINES, WORDS, PairModel, fit
from generators.citations.pairs import Encode, Matrix, embedding_features, lexical_features
from indexes.passage import Passage

FOLDS = 5
THRESHOLDS = tuple(round(0.1 + 0.05 * step, 2) for step in range(13))

Labelled = tuple[int, Matrix, NDArray[np.bool_]]
"""Number of the question, features of its passages, and which of them are right."""


def fit_cheap(items: Sequence[Cited], encode: Encode) -> dict[str, PairModel]:
    """The models over words, and over words and cosines."""
    rows = list(_labelled(items, encode))
    count = len(COLUMNS[WORDS])
    words = [(number, features[:, :count], right) for number, features, right in rows]
    return {WORDS: fit_with_threshold(words, COLUMNS[WORDS]), COSINES: fit_with_threshold(rows, COLUMNS[COSINES])}


def fit_with_threshold(rows: Sequence[Labelled], names: Sequence[str]) -> PairModel:
    """One model on all rows, with the threshold that is best for questions that were not fitted on."""
    scores = np.zeros(len(THRESHOLDS))
    for fold in range(FOLDS):
        seen = [(features, right) for number, features, right in rows if number % FOLDS != fold]
        model = fit([features for features, _ in seen], [right for _, right in seen], names)
        for number, features, right in rows:
            if number % FOLDS == fold:
                probabilities = model.probabilities(features)
                scores += [_f1(probabilities, right, threshold) for threshold in THRESHOLDS]
    model = fit([features for _, features, _ in rows], [right for _, _, right in rows], names)
    return replace(model, threshold=THRESHOLDS[int(np.argmax(scores))])


def _f1(probabilities: NDArray[np.float64], right: NDArray[np.bool_], threshold: float) -> float:
    order = np.argsort(-probabilities, kind="stable")[:MOST_CITATIONS]
    cited = [int(i) for place, i in enumerate(order) if place == 0 or probabilities[i] >= threshold]
    return citation_score(cited, np.flatnonzero(right).tolist()).f1 if right.any() else 0.0


def _labelled(items: Sequence[Cited], encode: Encode) -> Iterator[Labelled]:
    for number, item in enumerate(items):
        right = np.array([evidence.number in item.gold for evidence in item.evidence])
        claims = [f"{item.answers[0]}.", item.statement]
        passages = [evidence.passage for evidence in item.evidence]
        for seen in (passages, _without_titles(passages)):
            cosines = embedding_features(claims, item.question, seen, encode)
            for claim, extra in zip(claims, cosines, strict=True):
                yield number, np.hstack([lexical_features(claim, item.question, seen), extra]), right


def _without_titles(passages: Iterable[Passage]) -> list[Passage]:
    return [replace(passage, title="", place="") for passage in passages]
