"""The systems that are compared: each gives, for a question, a ranking of passage ids and whom it asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.bench.retrieval.pool import DEPTH, Ranking, ranked_by
from app.bench.retrieval.sets import Questions
from evaluation.metrics import score_run
from evaluation.routing import Routed
from evaluation.runs import Run
from indexes.adapters.base import Adapter, Identity
from indexes.encoders.base import Vectors
from indexes.slice import Slice
from retrievers.evidence import Route
from retrievers.expert import Expert
from retrievers.gathering import Asked, Reply, Retrieval, ask, listing
from retrievers.merging import Merging
from retrievers.panel import LEAST
from retrievers.router import ScoredRouter, Wishes

Fusion = tuple[Merging, float] | str
Answers = tuple[Ranking, Route | None]
MEASURE = "nDCG@10"


@dataclass(frozen=True)
class Work:
    """What several arms share for one set of questions, so that each search is made once.

    Parameters
    ----------
    questions
        Of one set.
    vectors
        Their base embeddings ``[n, d]``.
    replies
        By expert, what it found for each question.
    """

    questions: Questions
    vectors: Vectors
    replies: Mapping[str, Sequence[Reply]] = field(default_factory=dict)

    @classmethod
    def of(cls, questions: Questions, vectors: Vectors, experts: Mapping[str, Expert]) -> Work:
        """Ask every expert every question."""
        asked = [Asked(text, vector, {}) for text, vector in zip(questions.texts, vectors, strict=True)]
        return cls(questions, vectors, {name: ask(experts[name], asked, DEPTH) for name in sorted(experts)})


@dataclass(frozen=True)
class PoolArm:
    """One encoder over all passages of all sets.

    Parameters
    ----------
    fusions
        Row name to fusion; one search serves them all.
    adapter
        Of the questions.
    """

    slice: Slice
    fusions: Mapping[str, Fusion]
    adapter: Adapter = field(default_factory=Identity)

    def rankings(self, work: Work) -> dict[str, list[Answers]]:
        """For each row name, the ranking of each question."""
        vectors = self.adapter.questions(work.questions.texts, work.vectors)
        found: dict[str, list[Answers]] = {name: [] for name in self.fusions}
        for text, vector in zip(work.questions.texts, vectors, strict=True):
            candidates = self.slice.search(text, vector, DEPTH)
            for name, fusion in self.fusions.items():
                found[name].append((ranked_by(candidates, fusion), None))
        return found

    def one(self, name: str, text: str, vector: Vectors) -> Answers:
        """A single question from the start, for its cost."""
        adapted = self.adapter.questions([text], vector[None, :])[0]
        return ranked_by(self.slice.search(text, adapted, DEPTH), self.fusions[name]), None


@dataclass(frozen=True)
class RoutedArm:
    """Our experts, chosen by a router."""

    router: ScoredRouter
    experts: Mapping[str, Expert]
    retrieval: Retrieval

    def answers(self, work: Work) -> list[Answers]:
        """Route each question, and merge what those asked have replied."""
        profiles = {name: expert.profile for name, expert in self.experts.items()}
        found: list[Answers] = []
        for number, (text, vector) in enumerate(zip(work.questions.texts, work.vectors, strict=True)):
            route = self.router.route(text, vector, profiles, Wishes())
            asked = _asked(text, vector, route)
            replies = [work.replies[name][number] for name in sorted(asked.shares)]
            found.append((list(listing(asked, replies, {}, self.retrieval).order[:DEPTH]), route))
        return found

    def one(self, text: str, vector: Vectors) -> Answers:
        """A single question from the start, for its cost."""
        profiles = {name: expert.profile for name, expert in self.experts.items()}
        route = self.router.route(text, vector, profiles, Wishes())
        asked = _asked(text, vector, route)
        replies = [ask(self.experts[name], [asked], DEPTH)[0] for name in sorted(asked.shares)]
        return list(listing(asked, replies, {}, self.retrieval).order[:DEPTH]), route


def best_expert(work: Work, names: Iterable[str]) -> list[Answers]:
    """The oracle per question: the one expert whose list alone scores best, by nDCG@10 and then by name."""
    names = sorted(names)
    lists = {name: [_alone(reply) for reply in work.replies[name]] for name in names}
    scores = np.array([ndcg(work.questions, lists[name]) for name in names])
    return [(lists[names[best]][number], None) for number, best in enumerate(scores.argmax(axis=0))]


def ndcg(questions: Questions, rankings: Sequence[Ranking]) -> np.ndarray:
    """nDCG@10 of each question ``[n]``; one without results scores 0."""
    run = Run("run", dict(zip(questions.ids, rankings, strict=True)))
    return np.asarray(score_run(run, questions.qrels, (MEASURE,)).values[MEASURE])


def routed(questions: Questions, answers: Sequence[Answers]) -> list[Routed]:
    """How each question was routed; the right expert is that of its set."""
    records = []
    for i, (_, route) in zip(questions.ids, answers, strict=True):
        if route is not None:
            shares = {share.expert: share.probability for share in route.shares}
            total = sum(shares.values()) or 1.0
            probabilities = {name: min(1.0, p / total) for name, p in shares.items()}
            records.append(
                Routed(f"{questions.expert}/{i}", frozenset({questions.expert}), route.experts, probabilities)
            )
    return records


def _alone(reply: Reply) -> Ranking:
    order = np.argsort(-reply.logits, kind="stable")[:DEPTH]
    return [(reply.candidates.ids[row], float(reply.logits[row])) for row in order]


def _asked(text: str, vector: Vectors, route: Route) -> Asked:
    return Asked(text, vector, {share.expert: max(share.probability, LEAST) for share in route.shares if share.asked})
