"""Macro averages: the mean of the sets' means, so that a set with many questions weighs no more than a small one.

The questions of a set are exchangeable with one another and not with those of another set. So the bootstrap resamples,
and the test flips signs, within each set. What is drawn does not depend on the order in which the sets are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.intervals import Interval, bootstrap_means, checked, mean, paired_randomisation, percentile_interval
from indexes.errors import InputError


def macro_interval(
    per_set: Mapping[str, ArrayLike], *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Mean of the sets' means, with its percentile bootstrap interval, resampled within each set.

    The sets are taken as given, not as a sample of sets: the interval says how the number would vary with other
    questions of the same sets. Source: Davison and Hinkley, *Bootstrap Methods and their Application*, 1997, section
    3.2 (several samples). For the difference of two systems, pass the differences for each question.

    Parameters
    ----------
    per_set
        Name of each set to one number from 0 to 1 for each of its questions, shape ``(n of that set,)``.
    level
        Confidence, between 0 and 1.
    resamples
        Draws; in each, every set is drawn anew with replacement, at its own size.

    Raises
    ------
    InputError
        Where there is no set, a set has no value, or a value is not finite.
    """
    arrays = {name: checked(values) for name, values in per_set.items()}
    draws = macro_means(arrays, resamples=resamples, seed=seed)
    return percentile_interval(macro_mean(per_set), draws, level=level, n=equal_size(map(len, arrays.values())))


def macro_mean(per_set: Mapping[str, ArrayLike]) -> float:
    """Mean of the sets' means."""
    return mean(np.array([mean(checked(per_set[name])) for name in sorted(per_set)]))


def equal_size(sizes: Iterable[int]) -> int:
    """How many questions a macro average over sets of these sizes counts for where every score is 0, or every one 1.

    As many as if every set were as small as the smallest, where rare exceptions are the easiest to miss.
    """
    found = list(sizes)
    return len(found) * min(found)


def macro_means(
    per_set: Mapping[str, NDArray[np.float64]], *, resamples: int = 10_000, seed: int = 0
) -> NDArray[np.float64]:
    """Bootstrap draws of the macro average.

    Parameters
    ----------
    per_set
        Name of each set to an array ``(n of that set,)``, or ``(n of that set, k)`` for k systems, which are resampled by
        the same draws; see ``bootstrap_means``.

    Returns
    -------
    array
        Shape ``(resamples,)`` or ``(resamples, k)``.
    """
    _require_sets(per_set)
    names = sorted(per_set)
    seeds = np.random.SeedSequence(seed).spawn(len(names))
    draws = [
        bootstrap_means(per_set[name], resamples, np.random.default_rng(own))
        for name, own in zip(names, seeds, strict=True)
    ]
    total: NDArray[np.float64] = np.sum(draws, axis=0)
    return total / len(names)


def paired_macro_randomisation(
    first: Mapping[str, ArrayLike], second: Mapping[str, ArrayLike], *, resamples: int = 9_999, seed: int = 0
) -> float:
    """Two-sided p value of the paired randomisation test on the difference of two macro averages.

    The statistic is the mean over the sets of the mean difference in each; the sign of each question's difference is
    flipped at random. That is ``paired_randomisation`` over differences that are divided by the size of their set.

    Parameters
    ----------
    first, second
        Name of each set to the scores of its questions, the same sets, and the same questions in the same order.

    Raises
    ------
    InputError
        Where there is no set, the two name different sets, a set has no value, or a value is not finite.
    ValueError
        Where the two have different numbers of questions in a set.
    """
    if set(first) != set(second):
        unpaired = ", ".join(sorted(set(first) ^ set(second)))
        raise InputError(
            f"A paired test needs the same sets on both sides; only one side has: {unpaired}.",
            "Evaluate both systems on the same sets.",
        )
    _require_sets(first)
    weighted = []
    for name in sorted(first):
        one, two = checked(first[name]), checked(second[name])
        if one.shape != two.shape:
            raise ValueError(f"{name}: {one.size} scores against {two.size}: a paired test needs the same questions")
        weighted.append((one - two) / one.size)
    differences = np.concatenate(weighted)
    return paired_randomisation(differences, np.zeros_like(differences), resamples=resamples, seed=seed)


def _require_sets(per_set: Mapping[str, object]) -> None:
    if not per_set:
        raise InputError("There is no set to average over.", "Name at least one set.")
