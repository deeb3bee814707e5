"""From the ranked lists of several experts to one. Each expert searches a space of its own, whose scores mean little elsewhere.

``probability`` merges what is comparable already, ``base`` scores the union anew in the space that the experts share; the
others scale each list by its own ranks or scores, and so take every expert's best for equally good.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from indexes.errors import InputError
from retrievers.fusion import RRF_K

Merging = Literal["probability", "rrf", "minmax", "zscore", "dbsf", "base"]
Doubles = NDArray[np.float64]

MIDDLE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """What one expert found, in any order.

    Parameters
    ----------
    expert
        Its name.
    ids
        Of the passages, each once.
    scores
        ``[n]``, larger is better. Log-odds of relevance where the lists are to be merged by ``probability``.
    weight
        How much the expert counts; 0 is as if it had not been asked.
    base
        Cosines ``[n]`` of the same passages with the question in the shared base space; only ``base`` needs them.

    Raises
    ------
    InputError
        A weight that is negative or not finite, an id that comes twice, or scores that are not one finite number an id.
    """

    expert: str
    ids: tuple[str, ...]
    scores: NDArray[np.float32]
    weight: float = 1.0
    base: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.weight) and self.weight >= 0):
            raise InputError(
                f"The weight of expert {self.expert!r} is {self.weight}.",
                "Give a finite weight of 0 or more; 0 leaves the expert's passages out.",
            )
        if len(set(self.ids)) < len(self.ids):
            raise self._refusal("names a passage twice")
        for what, values in (("scores", self.scores), ("base scores", self.base)):
            if values is None:
                continue
            if values.shape != (len(self.ids),):
                raise self._refusal(f"has {what} of the shape {values.shape} for {len(self.ids)} passages")
            if not np.isfinite(values).all():
                raise self._refusal(f"has {what} that are not finite")

    def _refusal(self, problem: str) -> InputError:
        return InputError(f"The list of expert {self.expert!r} {problem}.", "Give each passage once, with one number.")


def merge(lists: Sequence[Ranked], method: Merging) -> list[tuple[str, float]]:
    """All passages of the lists as ``(id, score)``, each once: best first, ties by id; the order of the lists is no matter.

    A list of weight 0 contributes nothing, whatever the method: what only it holds is not in the result. With w the weight
    of a list and s a score in it, a passage's score is

    - ``probability``: the largest s + log w, the odds of relevance times w;
    - ``base``: the largest w · cosine;
    - ``rrf``: Σ w / (60 + rank), ranks from 1, equal scores ranked by id (Cormack et al. 2009);
    - ``minmax``: Σ w (s − min) / (max − min) (CombSUM, Lee 1997);
    - ``zscore``: Σ w (s − μ) / σ with σ over n (zero mean and unit variance, Montague and Aslam 2001);
    - ``dbsf``: Σ w (s − μ + 3σ) / 6σ with σ over n − 1 (Mazzeschi 2023, as in Qdrant). Not clipped at 0 and 1, which
      would make outliers of one list equal.

    Where all scores of a list are equal, and so where it has only one, they say nothing about how good they are: its
    passages get the middle of the scale, which is 0 for ``zscore`` and w / 2 for ``minmax`` and ``dbsf``. A passage that
    a list does not hold gets nothing from it. Raising a list's weight lifts what it scores above zero; below zero
    (negative cosines, worse than the mean for ``zscore``) a weight works the other way.

    Raises
    ------
    InputError
        There is no such method; or lists without base scores are to be merged by ``base``.
    """
    scale = SCALES.get(method)
    if scale is None:
        raise InputError(
            f"There is no merging named {method!r}.", f"The ways to merge are: {', '.join(get_args(Merging))}."
        )
    found: dict[str, list[float]] = {}
    for ranked in lists:
        if ranked.ids and ranked.weight > 0:
            for passage, score in zip(ranked.ids, scale(ranked).tolist(), strict=True):
                found.setdefault(passage, []).append(score)
    # fsum rounds once, at the end: a plain sum would depend on the order of the lists
    combine: Callable[[list[float]], float] = max if method in ("probability", "base") else math.fsum
    merged = [(passage, combine(scores)) for passage, scores in found.items()]
    return sorted(merged, key=lambda pair: (-pair[1], pair[0]))


def _probability(ranked: Ranked) -> Doubles:
    return ranked.scores.astype(np.float64) + math.log(ranked.weight)


def _base(ranked: Ranked) -> Doubles:
    if ranked.base is None:
        raise InputError(
            f"The list of expert {ranked.expert!r} has no scores in the base space.",
            "Give them as `base`, or merge by another method.",
        )
    return ranked.weight * ranked.base.astype(np.float64)


def _rrf(ranked: Ranked) -> Doubles:
    values = ranked.scores.tolist()
    order = sorted(range(len(values)), key=lambda i: (-values[i], ranked.ids[i]))
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    return ranked.weight / (RRF_K + ranks)


def _minmax(ranked: Ranked) -> Doubles:
    scores = ranked.scores.astype(np.float64)
    low, high = scores.min(), scores.max()
    scaled = (scores - low) / (high - low) if high > low else np.full_like(scores, MIDDLE)
    return ranked.weight * scaled


def _zscore(ranked: Ranked) -> Doubles:
    return ranked.weight * _standard(ranked, ddof=0)


def _dbsf(ranked: Ranked) -> Doubles:
    return ranked.weight * (MIDDLE + _standard(ranked, ddof=1) / 6)


def _standard(ranked: Ranked, ddof: int) -> Doubles:
    """Distance of each score from the mean in standard deviations; zeros where the scores are equal."""
    scores = ranked.scores.astype(np.float64)
    ordered = np.sort(scores)  # so that the last bits of the mean do not depend on the order of the passages
    if ordered[0] == ordered[-1]:
        return np.zeros_like(scores)
    return np.asarray((scores - ordered.mean()) / ordered.std(ddof=ddof))


SCALES: Mapping[str, Callable[[Ranked], Doubles]] = {
    "probability": _probability,
    "rrf": _rrf,
    "minmax": _minmax,
    "zscore": _zscore,
    "dbsf": _dbsf,
    "base": _base,
}
