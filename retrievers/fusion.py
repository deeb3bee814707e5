"""From candidates with raw scores to one ranking.

``calibrated`` ranks by the log-odds of relevance and is the only score that may be compared across slices; the others rank
within one slice and serve as baselines.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from indexes.errors import InputError
from indexes.store.base import Candidates
from retrievers.calibration import RELEVANCE, Background, Relevance

Fusion = Literal["calibrated", "dense", "bm25", "rrf", "minmax"]
Floats = NDArray[np.float32]

RRF_K = 60


def fuse(candidates: Candidates, background: Background, fusion: Fusion, relevance: Relevance = RELEVANCE) -> Floats:
    """Score of each candidate, ``[n]``; larger is better.

    ``rrf`` is Cormack et al. 2009 with k = 60; ``minmax`` the mean of both scores scaled to 0…1 over the candidates.
    """
    if fusion == "calibrated":
        return relevance.logit(candidates, background)
    if fusion == "dense":
        return candidates.dense
    if fusion == "bm25":
        return candidates.bm25
    if fusion == "rrf":
        ranks = _ranks(candidates.dense), _ranks(candidates.bm25)
        return np.asarray(sum(1 / (RRF_K + rank) for rank in ranks), dtype=np.float32)
    if fusion == "minmax":
        return np.asarray(0.5 * (_minmax(candidates.dense) + _minmax(candidates.bm25)), dtype=np.float32)
    raise InputError(f"There is no fusion named {fusion!r}.", f"The fusions are: {', '.join(get_args(Fusion))}.")


def ranking(candidates: Candidates, scores: Floats, limit: int) -> list[tuple[str, float]]:
    """The ``limit`` best ``(id, score)``, by score and then id."""
    order = np.argsort(-scores, kind="stable")[:limit]  # candidates come sorted by id, and the sort is stable
    return [(candidates.ids[i], float(scores[i])) for i in order]


def _ranks(scores: Floats) -> Floats:
    ranks = np.empty(len(scores), dtype=np.float32)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks


def _minmax(scores: Floats) -> Floats:
    if not len(scores):
        return scores
    low, high = scores.min(), scores.max()
    return np.zeros_like(scores) if high == low else np.asarray((scores - low) / (high - low), dtype=np.float32)
