"""Conformal prediction sets: how much probability the asked experts must hold for a stated chance to include the right one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexes.errors import InputError

ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Guarantee:
    """A mass with the coverage that it gives.

    Parameters
    ----------
    mass
        Ask the most probable experts until they hold this probability together.
    coverage
        The chance, at least, that the right expert is among those asked, for questions like those it was measured on and
        where the number asked is not limited.
    questions
        How many questions it was measured on.
    """

    mass: float
    coverage: float
    questions: int


def guarantee(probabilities: NDArray[np.floating], right: Sequence[int], coverage: float) -> Guarantee:
    """The smallest mass that covers, from calibration questions that the probabilities were not fitted on.

    Adaptive prediction sets without randomisation (Romano, Sesia and Candès 2020, arXiv 2006.02544, section 2): a
    question's score is the probability of all experts at least as probable as the right one, and the mass is the score of
    rank ``⌈(n + 1) · coverage⌉``. Without randomisation the sets are somewhat larger than they need be.

    Parameters
    ----------
    probabilities
        ``[questions, experts]``, rows that sum to 1.
    right
        Column of the right expert of each question.
    coverage
        Between 0 and 1.

    Raises
    ------
    InputError
        Where there are too few questions for the coverage: fewer than ``coverage / (1 - coverage)``.
    """
    count = len(right)
    need, rank = fewest(coverage), _ceil((count + 1) * coverage)
    if rank > count:
        raise InputError(
            f"{count} calibration questions are too few for a coverage of {coverage:.0%}.",
            f"Give at least {need}, or ask for a lower coverage.",
        )
    own = probabilities[np.arange(count), np.asarray(right)]
    scores = np.where(probabilities >= own[:, None], probabilities, 0.0).sum(axis=1)
    mass = float(np.sort(scores)[rank - 1])
    return Guarantee(mass if mass < 1 - ROUNDING else 1.0, coverage, count)


def fewest(coverage: float) -> int:
    """How many calibration questions a coverage between 0 and 1 needs at least."""
    if not 0 < coverage < 1:
        raise InputError(f"A coverage of {coverage} cannot be promised.", "Name one between 0 and 1, such as 0.95.")
    return _ceil(coverage / (1 - coverage))


def _ceil(value: float) -> int:
    """The least whole number that is not below ``value`` by more than rounding: 0.9 / 0.1 is 9 and a bit."""
    return math.ceil(value - ROUNDING)
