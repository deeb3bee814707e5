"""A profile: what a router knows of an expert without asking it. Each is made from its own slice alone.

So experts come and go without anything being fitted again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from retrievers.arrays import read_arrays
from retrievers.moments import Moments
from retrievers.pilots import Pilots

HALF = 0.5
FEWEST = 64  # passages that every slice is taken to have, so that a handful of them cannot draw all questions to itself


@dataclass(frozen=True)
class Vocabulary:
    """In how many passages of a slice each term occurs.

    Parameters
    ----------
    terms
        Hashed term ids, ascending, ``[t]``.
    counts
        Passages that hold each, ``[t]``, in the narrowest type that can count the slice: see ``of``.
    passages
        Number of passages in the slice.
    """

    terms: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))
    counts: NDArray[np.unsignedinteger] = field(default_factory=lambda: np.zeros(0, np.uint8))
    passages: int = 0

    @classmethod
    def of(cls, terms: NDArray[np.integer], counts: NDArray[np.integer], passages: int) -> Vocabulary:
        """Keep terms and counts in as few bytes as lose nothing: no term occurs in more passages than there are."""
        return cls(terms.astype(np.uint32), counts.astype(np.min_scalar_type(passages)), passages)

    def log_likelihood(self, question: Collection[int]) -> float:
        """Sum over the terms of a question of the log of the share of passages that hold the term.

        Query likelihood for resource selection (Si et al., CIKM 2002, eq. 2), with passage frequencies in place of term
        frequencies and half an occurrence added, so that an unseen word costs more in a large slice than in a small one. A
        slice of fewer than ``FEWEST`` passages is taken for one of that many, most of which hold none of the terms.
        """
        if not question:
            return 0.0
        wanted = np.array(sorted(question), dtype=np.uint32)
        rows = np.searchsorted(self.terms, wanted)
        held = np.zeros(len(wanted))
        inside = rows < len(self.terms)
        same = np.zeros(len(wanted), dtype=bool)
        same[inside] = self.terms[rows[inside]] == wanted[inside]
        held[same] = self.counts[rows[same]]
        return float(np.log((held + HALF) / (max(self.passages, FEWEST) + 1)).sum())


@dataclass(frozen=True)
class Profile:
    """What stands for an expert when a question is routed.

    Parameters
    ----------
    pilots
        From its passages.
    vocabulary
        Of its passages.
    questions
        Pilots from its labelled questions, unit vectors ``[n, dimension]`` in the base encoder's space; none where it has
        no labelled questions.
    description
        What the expert knows, for a language model that chooses.
    moments
        File with the moments of all its labelled questions, which ``asked`` reads: too large to be held in memory.
    """

    pilots: Pilots
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    questions: Vectors | None = None
    description: str = ""
    moments: Path | None = None

    def asked(self) -> Moments | None:
        """Moments of its labelled questions: from the file, or of the pilots where that is lacking; none without any."""
        arrays = None if self.moments is None else read_arrays(self.moments)
        if arrays is not None and {"mean", "second"} <= arrays.keys():
            return Moments(arrays["mean"].astype(np.float64), arrays["second"].astype(np.float64))
        return None if self.questions is None or not len(self.questions) else Moments.of(self.questions)

    @cached_property
    def centre(self) -> Vectors:
        """Unit mean ``[dimension]`` of the passages' pilots."""
        mean = self.pilots.vectors.mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)
