"""Calibration of one expert: from its scores to a probability of relevance, fitted on questions its adapter was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.adapters.base import Adapter
from indexes.encoders.base import Vectors
from indexes.slice import Slice
from retrievers.calibration import Background, Relevance
from retrievers.training.material import Examples, Material

DEPTH = 50
FEWEST = 50
RATIOS = (0.0, 0.2, 0.4, 0.6, 0.9, 1.3, 1.8, 2.7, 3.7, 5.5)
"""Weight of the lexical score against that of z, of which the best ranking on the judging questions is taken."""


@dataclass(frozen=True)
class Judged:
    """The candidates of one question.

    Parameters
    ----------
    z, lexical
        The two features of ``Relevance``, ``[n]``.
    grades
        ``[n]``, 0 where not relevant.
    ideal
        DCG@10 of the best possible ranking of all the question's relevant passages.
    """

    z: NDArray[np.float32]
    lexical: NDArray[np.float32]
    grades: NDArray[np.float64]
    ideal: float

    def ndcg(self, ratio: float) -> float:
        """nDCG@10 of the candidates ranked by ``z + ratio · lexical``; of equals the first, which is the lower id."""
        order = np.argsort(-(self.z + ratio * self.lexical), kind="stable")[:10]
        return dcg(self.grades[order]) / self.ideal


def dcg(grades: NDArray[np.float64]) -> float:
    """Discounted cumulated gain of grades in ranked order, with trec_eval's gain and discount."""
    return float((grades / np.log2(np.arange(2, len(grades) + 2))).sum())


def calibrate(
    slice_: Slice, material: Material, adapters: Sequence[Adapter], background: tuple[Sequence[str], Vectors]
) -> Relevance | None:
    """Fit an expert's ``Relevance`` on the judging questions of each fold, under the adapter that did not learn from them.

    The ratio of the two weights is the one that ranks best; scale and bias are then Platt's (1999), by maximum likelihood
    over all candidates. What nobody judged counts as not relevant, so probabilities are low rather than high.

    Parameters
    ----------
    adapters
        One for each fold of the material.
    background
        Random questions and their base vectors.

    Returns
    -------
    Relevance or None
        ``None`` where fewer than 50 questions judge: the default is better than a fit to so few.
    """
    judged = [
        each
        for adapter, fold in zip(adapters, material.folds, strict=True)
        for each in judge(slice_, material, adapter, material.examples.take(fold.dev), background)
    ]
    return fit([judged]) if len(judged) >= FEWEST else None


def fit(groups: Sequence[Sequence[Judged]]) -> Relevance | None:
    """See ``calibrate``; groups of questions weigh the same. ``None`` where no candidate is relevant, or all are."""
    from sklearn.linear_model import LogisticRegression

    def quality(ratio: float) -> float:
        return float(np.mean([np.mean([each.ndcg(ratio) for each in group]) for group in groups]))

    ratio = max(RATIOS, key=lambda r: (quality(r), -r))
    judged = [(each, 1 / len(group)) for group in groups for each in group]
    scores = np.concatenate([each.z + ratio * each.lexical for each, _ in judged])
    labels = np.concatenate([each.grades > 0 for each, _ in judged])
    weights = np.concatenate([np.full(len(each.z), weight) for each, weight in judged])
    if labels.all() or not labels.any():
        return None
    model = LogisticRegression(C=1e6, max_iter=1000).fit(
        scores[:, None], labels, weights * (len(weights) / weights.sum())
    )
    scale = float(model.coef_[0, 0])
    return Relevance(float(model.intercept_[0]), scale, scale * ratio) if scale > 0 else None


def judge(
    slice_: Slice, material: Material, adapter: Adapter, examples: Examples, background: tuple[Sequence[str], Vectors]
) -> list[Judged]:
    """The candidates of each question, with their features under an adapter."""
    texts = examples.labelled.questions
    passages = adapter.passages(material.ids, material.passages)
    measured = Background.of((adapter.questions(*background) @ passages.T).max(axis=1))
    vectors = adapter.questions(texts, examples.vectors)
    found = []
    for text, vector, relevant in zip(texts, vectors, examples.labelled.relevant, strict=True):
        candidates = slice_.search(text, vector, DEPTH)
        rows = [material.row[i] for i in candidates.ids]
        z = measured.z(passages[rows] @ vector)
        found.append(Judged(z, candidates.lexical, _grades(candidates.ids, relevant), _ideal(relevant)))
    return found


def _grades(ids: Sequence[str], relevant: Mapping[str, float]) -> NDArray[np.float64]:
    return np.array([relevant.get(i, 0.0) for i in ids], dtype=np.float64)


def _ideal(relevant: Mapping[str, float]) -> float:
    return dcg(np.sort(np.array(list(relevant.values()), dtype=np.float64))[::-1][:10])
