"""How probable it is that each sentence rests on each passage: cheaply for all, then by the language model for a few.

1. Words and, where there is an encoder, cosines judge every passage (``generators.citations.pairs``). The best three that are
   probable enough are the finalists.
2. The language model says how much each finalist alone raises the sentence's log-probability ("hold").
3. Finalists that are still in doubt are taken away from among all passages ("drop", exact leave-one-out), which costs
   about as much as reading the whole prompt again; and the model is asked whether they support the sentence.

Without a language model, or for text without tokens, only the first step is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from generators.citations.contrasts import Reads, Scores, drop, hold, per_sentence, yes_no
from generators.citations.pair_model import COSINES, DOUBTED, HOLD, WORDS, PairModel, fitted
from generators.citations.pairs import Encode, Matrix, embedding_features, lexical_features
from retrievers.evidence import Evidence

FINALISTS = 3
HOPEFUL = 0.1
"""Probability by words and cosines from which a passage may be a finalist."""
DOUBT = (0.3, 0.7)
"""Between these probabilities by "hold", leave-one-out and the model's own word decide."""

Doubt = tuple[float, float]


class Entails(Protocol):
    """An entailment model (``generators.citations.entailment.EntailmentModel`` is one)."""

    def probabilities(self, premises: Sequence[str], hypotheses: Sequence[str]) -> NDArray[np.float32]:
        """Probability that each premise entails its hypothesis."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What attribution may use besides words and the language model.

    Parameters
    ----------
    encode
        Texts to unit vectors.
    entailment
        Decides on support instead of words; numbers and names that stand nowhere are still refused.
    doubt
        Probabilities between which leave-one-out decides; ``(0, 1)`` for all finalists, ``(1, 0)`` for none.
    """

    encode: Encode | None = None
    entailment: Entails | None = None
    doubt: Doubt = DOUBT


@dataclass(frozen=True, slots=True)
class Pairs:
    """One sentence and every passage. Arrays have one element a passage.

    Parameters
    ----------
    features
        Of words and cosines, ``[passages, columns]``.
    cheap
        What makes probabilities of them.
    hold, drop
        Nats per token by which each passage raises the sentence, alone and among all; NaN where it was not measured.
    own
        Log-odds of yes, the model being asked whether the passage supports the sentence; 0 where it was not.
    """

    features: Matrix
    cheap: PairModel
    hold: NDArray[np.float32]
    drop: NDArray[np.float32]
    own: NDArray[np.float32]

    @property
    def finalists(self) -> list[int]:
        """The best three by words and cosines; but for the best, only those that are probable enough."""
        probabilities = self.cheap.probabilities(self.features)
        order = np.argsort(-probabilities, kind="stable")[:FINALISTS]
        return [int(i) for place, i in enumerate(order) if place == 0 or probabilities[i] >= HOPEFUL]

    @property
    def contrasts(self) -> Matrix:
        """What the models of contrasts are given, ``[passages, 5]``; NaN where something was not measured."""
        odds = self.cheap.log_odds(self.features)
        best = np.nanmax(self.hold) if np.isfinite(self.hold).any() else np.nan
        return np.stack([odds, self.hold, best - self.hold, self.drop, self.own], axis=1).astype(np.float32)

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """That the sentence rests on each passage, by all that was measured of the two."""
        found, columns = self.cheap.probabilities(self.features), self.contrasts
        held, dropped = np.isfinite(self.hold), np.isfinite(self.drop)
        if held.any():
            found[~held] = 0.0  # not a finalist
            found[held] = fitted(HOLD).probabilities(columns[held, :3])
            found[held & dropped] = fitted(DOUBTED).probabilities(columns[held & dropped])
        return found

    @property
    def threshold(self) -> float:
        """Probability from which a passage is cited beside the best."""
        return fitted(HOLD).threshold if np.isfinite(self.hold).any() else self.cheap.threshold


def measure(
    model: Scores | None,
    question: str,
    evidence: Sequence[Evidence],
    claims: Sequence[str],
    tokens: Sequence[int],
    rows: Sequence[Sequence[int]],
    checks: Checks,
) -> list[Pairs]:
    """Measure each claim against each passage.

    Parameters
    ----------
    evidence
        At least one passage.
    tokens, rows
        The answer's tokens, and for each claim the positions of its own. Without tokens nothing is contrasted.
    """
    pairs = _by_words(question, evidence, claims, checks.encode)
    some = sorted({i for pair in pairs for i in pair.finalists})
    if model is None or not tokens or not some:
        return pairs
    alone = per_sentence(hold(model, question, [evidence[i] for i in some], tokens), rows)
    for number, pair in enumerate(pairs):
        pair.hold[some] = alone[:, number]
    doubtful = [_in_doubt(pair, checks.doubt) for pair in pairs]
    everyone = sorted(set[int]().union(*doubtful))
    if everyone and len(evidence) > 1:
        among = per_sentence(drop(model, question, evidence, everyone, tokens), rows)
        for number, (pair, chosen) in enumerate(zip(pairs, doubtful, strict=True)):
            pair.drop[chosen] = among[[everyone.index(i) for i in chosen], number]
            if isinstance(model, Reads):
                pair.own[chosen] = yes_no(model, question, claims[number], [evidence[i] for i in chosen])
    return pairs


def _in_doubt(pair: Pairs, doubt: Doubt) -> list[int]:
    probabilities = pair.probabilities
    return [i for i in pair.finalists if doubt[0] < probabilities[i] < doubt[1]]


def _by_words(question: str, evidence: Sequence[Evidence], claims: Sequence[str], encode: Encode | None) -> list[Pairs]:
    passages = [item.passage for item in evidence]
    features = [lexical_features(claim, question, passages) for claim in claims]
    if encode is not None and claims:
        cosines = embedding_features(claims, question, passages, encode)
        features = [np.hstack(both) for both in zip(features, cosines, strict=True)]
    cheap, size = fitted(WORDS if encode is None else COSINES), len(evidence)
    found = []
    for matrix in features:
        unknown = np.full((2, size), np.nan, dtype=np.float32)
        found.append(Pairs(matrix, cheap, unknown[0], unknown[1], np.zeros(size, dtype=np.float32)))
    return found
