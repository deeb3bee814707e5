"""Gathering: ask the experts on a route, and make one numbered list of what they find."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from indexes.encoders.base import Vectors
from indexes.errors import SymposiaError
from indexes.passage import Passage
from indexes.terms import terms, words
from retrievers.calibration import sigmoid
from retrievers.evidence import Evidence
from retrievers.expert import Expert
from retrievers.fusion import fuse


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How much is searched and kept.

    Parameters
    ----------
    passages
        Evidence per question.
    depth
        Candidates per expert, by dense search and again by BM25.
    floor
        Evidence below this probability of relevance is dropped, but for the best.
    """

    passages: int = 5
    depth: int = 50
    floor: float = 0.02


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that an expert found. Hits are ranked by ``logit``: probabilities near 1 are equal in single precision."""

    logit: float
    probability: float
    expert: str
    passage: Passage
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the experts found for one part of a question.

    Parameters
    ----------
    hits
        By falling probability, ties by id.
    unknown
        Words of the part that no passage of any expert asked holds, nor its description; of a name such as ``json.dumps``,
        not all of it.
    failures
        Experts that broke, with the message.
    """

    hits: tuple[Hit, ...]
    unknown: tuple[str, ...]
    failures: Mapping[str, str]


def gather(experts: Iterable[Expert], question: str, vector: Vectors, retrieval: Retrieval) -> Gathered:
    """Search each expert. One that breaks is noted, and the others' hits stand."""
    hits: list[Hit] = []
    unseen: list[frozenset[int]] = []
    failures: dict[str, str] = {}
    for expert in experts:
        try:
            found, missing = _ask(expert, question, vector, retrieval)
        except SymposiaError as error:
            failures[expert.name] = str(error)
            continue
        hits += found
        unseen.append(missing)
    hits.sort(key=lambda hit: (-hit.logit, hit.passage.id))
    everywhere = frozenset.intersection(*unseen) if unseen else frozenset()
    unknown = tuple(word for word in words(question) if terms(word) & everywhere)
    return Gathered(tuple(hits), unknown, failures)


def evidence(gathered: Sequence[Gathered], retrieval: Retrieval) -> tuple[Evidence, ...]:
    """Number the best hits, the parts of a question taking turns; equal texts count once."""
    chosen: list[tuple[Hit, int]] = []
    texts: set[str] = set()
    numbered = [[(hit, number) for hit in part.hits] for number, part in enumerate(gathered, start=1)]
    turns = zip_longest(*numbered)
    for hit, part in (each for turn in turns for each in turn if each is not None):
        if len(chosen) == retrieval.passages:
            break
        if chosen and hit.probability < retrieval.floor:
            continue
        if hit.passage.text not in texts:
            texts.add(hit.passage.text)
            chosen.append((hit, part))
    return tuple(
        Evidence(number, hit.passage, hit.expert, hit.probability, hit.scores, part)
        for number, (hit, part) in enumerate(chosen, start=1)
    )


def _ask(expert: Expert, question: str, vector: Vectors, retrieval: Retrieval) -> tuple[list[Hit], frozenset[int]]:
    candidates = expert.slice.search(question, vector, retrieval.depth)
    logits = fuse(candidates, expert.background, "calibrated")
    best = np.argsort(-logits, kind="stable")[: 2 * retrieval.passages]
    probabilities, coverage = sigmoid(logits), candidates.coverage
    passages = expert.slice.passages([candidates.ids[i] for i in best])
    hits = [
        Hit(
            float(logits[i]),
            float(probabilities[i]),
            expert.name,
            passage,
            {"dense": float(candidates.dense[i]), "bm25": float(candidates.bm25[i]), "coverage": float(coverage[i])},
        )
        for i, passage in zip(best, passages, strict=True)
    ]
    return hits, candidates.unseen - terms(f"{expert.name} {expert.description}")
