"""Gathering: ask the experts on a route, and make one numbered list of what they find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from indexes.encoders.base import Vectors
from indexes.errors import SymposiaError
from indexes.passage import Passage
from indexes.store.base import Candidates
from indexes.terms import terms, words
from retrievers.calibration import sigmoid
from retrievers.evidence import Evidence
from retrievers.expert import Expert
from retrievers.fusion import fuse
from retrievers.merging import Merging, Ranked, merge
from retrievers.reranker import Reranker, rerank


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
    merging
        How the lists of several experts become one.
    prior
        How much the route counts in that: an expert's list is weighted with its probability, beside that of the most
        probable one, to this power.
    """

    passages: int = 5
    depth: int = 50
    floor: float = 0.008
    merging: Merging = "probability"
    prior: float = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, or one part of it, with the experts that are asked it.

    Parameters
    ----------
    text, vector
        In words, and as the base encoder sees it ``[dimension]``.
    shares
        Probability of each expert that is asked, above 0.
    """

    text: str
    vector: Vectors
    shares: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Reply:
    """What one expert found for one question: candidates, and the log-odds of relevance of each ``[n]``."""

    expert: Expert
    candidates: Candidates
    logits: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Listing:
    """One question's ranking over all experts that were asked.

    Parameters
    ----------
    order
        Passage id and score, best first, ties by id.
    sources
        The reply that each id came from, and its row there.
    replies
        By expert.
    failures
        Experts that broke, with the message.
    """

    order: Sequence[tuple[str, float]]
    sources: Mapping[str, tuple[Reply, int]]
    replies: Sequence[Reply]
    failures: Mapping[str, str] = field(default_factory=dict)

    def passages(self, limit: int) -> list[Passage]:
        """The best ``limit`` passages, fetched from their slices, in order."""
        ids = [i for i, _ in self.order[:limit]]
        found: dict[str, Passage] = {}
        for reply in self.replies:
            own = [i for i in ids if self.sources[i][0] is reply]
            found.update(zip(own, reply.expert.slice.passages(own), strict=True))
        return [found[i] for i in ids]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that an expert found. Hits are ranked by ``score``: probabilities near 1 are equal in single precision."""

    score: float
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
        By falling score, ties by id.
    unknown
        Words of the part that no passage of any expert asked holds, nor its description; of a name such as ``json.dumps``,
        not all of it.
    failures
        Experts that broke, with the message.
    """

    hits: tuple[Hit, ...]
    unknown: tuple[str, ...]
    failures: Mapping[str, str]


def search(questions: Sequence[Asked], experts: Mapping[str, Expert], retrieval: Retrieval) -> list[Listing]:
    """Ask each expert all of its questions at once, so that its adapter works on one batch; then merge by question.

    An expert that breaks is noted, and the others' hits stand.
    """
    replies: list[list[Reply]] = [[] for _ in questions]
    failures: list[dict[str, str]] = [{} for _ in questions]
    for name in sorted({name for asked in questions for name in asked.shares}):
        rows = [row for row, asked in enumerate(questions) if name in asked.shares]
        try:
            for row, reply in zip(
                rows, ask(experts[name], [questions[row] for row in rows], retrieval.depth), strict=True
            ):
                replies[row].append(reply)
        except SymposiaError as error:
            for row in rows:
                failures[row][name] = str(error)
    return [listing(*each, retrieval) for each in zip(questions, replies, failures, strict=True)]


def ask(expert: Expert, questions: Sequence[Asked], depth: int) -> list[Reply]:
    """What one expert finds for each question."""
    vectors = expert.adapter.questions([asked.text for asked in questions], np.stack([q.vector for q in questions]))
    found = []
    for asked, vector in zip(questions, vectors, strict=True):
        candidates = expert.slice.search(asked.text, vector, depth)
        logits = fuse(candidates, expert.background, "calibrated", expert.relevance)
        found.append(Reply(expert, candidates, logits))
    return found


def gather(questions: Sequence[Asked], experts: Mapping[str, Expert], retrieval: Retrieval) -> list[Gathered]:
    """Search, and fetch what can become evidence; a broken store costs its expert's hits alone."""
    listings = search(questions, experts, retrieval)
    return [_gathered(asked, listing, retrieval) for asked, listing in zip(questions, listings, strict=True)]


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


def reordered(asked: Asked, gathered: Gathered, reranker: Reranker) -> Gathered:
    """The same hits in the order of a cross-encoder's scores; their probabilities stay those of retrieval."""
    by_id = {hit.passage.id: hit for hit in gathered.hits}
    given = [(hit.passage.id, hit.passage.searchable, hit.score) for hit in gathered.hits]
    hits = tuple(replace(by_id[i], score=score) for i, _, score in rerank(reranker, asked.text, given))
    return replace(gathered, hits=hits)


def listing(asked: Asked, replies: Sequence[Reply], failures: Mapping[str, str], retrieval: Retrieval) -> Listing:
    """Merge what the experts replied to one question."""
    lists = [_ranked(asked, reply, retrieval) for reply in replies]
    sources: dict[str, tuple[Reply, int]] = {}
    for reply in replies:  # a passage that stands in two slices is shown as the expert's who is surer of it
        for row, i in enumerate(reply.candidates.ids):
            if i not in sources or reply.logits[row] > sources[i][0].logits[sources[i][1]]:
                sources[i] = (reply, row)
    return Listing(merge(lists, retrieval.merging), sources, replies, failures)


def _ranked(asked: Asked, reply: Reply, retrieval: Retrieval) -> Ranked:
    base = None
    if retrieval.merging == "base":
        base = reply.expert.slice.base_cosines(reply.candidates.ids, asked.vector)
    weight = (asked.shares[reply.expert.name] / max(asked.shares.values())) ** retrieval.prior
    return Ranked(reply.expert.name, reply.candidates.ids, reply.logits, weight, base)


def _fetched(asked: Asked, found: Listing, retrieval: Retrieval) -> tuple[Listing, list[Passage]]:
    """The best passages; an expert whose texts cannot be fetched is left out, and the others' move up."""
    ids = [i for i, _ in found.order[: 2 * retrieval.passages]]
    passages: dict[str, Passage] = {}
    for reply in found.replies:
        own = [i for i in ids if found.sources[i][0] is reply]
        try:
            passages.update(zip(own, reply.expert.slice.passages(own), strict=True))
        except SymposiaError as error:
            others = [other for other in found.replies if other is not reply]
            failures = {**found.failures, reply.expert.name: str(error)}
            return _fetched(asked, listing(asked, others, failures, retrieval), retrieval)
    return found, [passages[i] for i in ids]


def _gathered(asked: Asked, found: Listing, retrieval: Retrieval) -> Gathered:
    found, passages = _fetched(asked, found, retrieval)
    hits = [
        _hit(score, *found.sources[i], passage, retrieval)
        for (i, score), passage in zip(found.order[: len(passages)], passages, strict=True)
    ]
    unseen = [
        reply.candidates.unseen - terms(f"{reply.expert.name} {reply.expert.description}") for reply in found.replies
    ]
    everywhere = frozenset.intersection(*unseen) if unseen else frozenset()
    unknown = tuple(word for word in words(asked.text) if terms(word) & everywhere)
    return Gathered(tuple(hits), unknown, found.failures)


def _hit(score: float, reply: Reply, row: int, passage: Passage, retrieval: Retrieval) -> Hit:
    candidates = reply.candidates
    scores = {
        "dense": float(candidates.dense[row]),
        "bm25": float(candidates.bm25[row]),
        "coverage": float(candidates.coverage[row]),
    }
    logit = score if retrieval.merging == "probability" else reply.logits[row]
    return Hit(score, float(sigmoid(np.array(logit))), reply.expert.name, passage, scores)
