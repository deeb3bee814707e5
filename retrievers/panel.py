"""The panel runs this room: a question in, a route and ranked evidence out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from indexes.encoder import Encoder, Vectors
from indexes.errors import InputError, SymposiaError
from indexes.manifest import FILE as MANIFEST
from indexes.passage import Passage
from indexes.slice import OpenStore, Slice
from retrievers.calibration import Background, background_questions, sigmoid
from retrievers.evidence import Evidence, Route
from retrievers.expert import Expert
from retrievers.fusion import Fusion, fuse, ranking
from retrievers.gate import NullExpert
from retrievers.pilots import Pilots
from retrievers.router import PilotRouter, Router, Wishes

Found = tuple[Route, tuple[Evidence, ...]]
NULL_FILE = "null.npz"


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


class Panel:
    """The experts that can be asked, and the router that chooses among them. Safe to use from several threads.

    Parameters
    ----------
    folder
        Holds one folder a slice.
    encoder
        The base encoder, which embeds a question once for routing and for search.
    open_store
        See ``indexes.store.open``.
    router
        Makes the router from the null expert; the pilot router by default.
    retrieval
        See ``Retrieval``.
    """

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        open_store: OpenStore,
        router: Callable[[NullExpert], Router] = PilotRouter,
        retrieval: Retrieval | None = None,
    ) -> None:
        self.folder = folder
        self.encoder = encoder
        self.open_store = open_store
        self.retrieval = retrieval or Retrieval()
        self.experts: dict[str, Expert] = {}
        self.problems: dict[str, str] = {}
        self._make_router = router
        self._router: Router | None = None
        self._lock = threading.RLock()
        self._opened = False

    def open(self) -> None:
        """Open every slice in the folder. One that cannot be opened is noted in ``problems``; the others serve."""
        with self._lock:
            if self._opened:
                return
            for manifest in sorted(self.folder.glob(f"*/{MANIFEST}")):
                self._open(manifest.parent)
            self._opened = True

    def slice(self, name: str, description: str, sample: Sequence[Passage]) -> Slice:
        """The slice of that name, created where there is none."""
        self.open()
        if name in self.experts:
            return self.experts[name].slice
        folder = self.folder / name
        if (folder / MANIFEST).is_file():
            return Slice.open(folder, self.encoder, self.open_store)
        return Slice.create(folder, name, description, self.encoder, self.open_store, sample)

    def install(self, slice_: Slice) -> Expert:
        """Make a slice that was filled an expert, at once and with no change to the others."""
        with self._lock:
            expert = Expert.of(slice_, self.encoder)
            self.experts = {**self.experts, slice_.name: expert}
            self.problems.pop(slice_.name, None)
            return expert

    def withdraw(self, name: str) -> None:
        """Take an expert off the panel and delete its slice."""
        with self._lock:
            Wishes(forbid=(name,)).check([*self.experts, *self.problems])
            expert = self.experts.get(name)
            self.experts = {other: e for other, e in self.experts.items() if other != name}
            if expert is not None:
                expert.slice.delete()
            self.problems.pop(name, None)

    def retrieve(self, question: str, wishes: Wishes | None = None, passages: int | None = None) -> Found:
        """Route one question and gather its evidence."""
        return self.retrieve_many([question], wishes, passages)[0]

    def retrieve_many(
        self, questions: Sequence[str], wishes: Wishes | None = None, passages: int | None = None
    ) -> list[Found]:
        """Like ``retrieve``, for several questions that are encoded in one batch."""
        self.open()
        wishes = wishes or Wishes()
        wishes.check(self.experts)
        router, experts = self.router, self.experts
        vectors = self.encoder.encode_questions(questions)
        pilots = {name: expert.pilots for name, expert in experts.items()}
        found = []
        for question, vector in zip(questions, vectors, strict=True):
            route = router.route(question, vector, pilots, wishes)
            found.append(self._gather(question, vector, route, passages or self.retrieval.passages))
        return found

    def search(
        self, name: str, questions: Sequence[str], fusion: Fusion, depth: int
    ) -> list[list[tuple[Passage, float]]]:
        """Ranking of one expert for each question, ``depth`` long at most: what offline evaluation measures."""
        self.open()
        Wishes(force=(name,)).check(self.experts)
        expert = self.experts[name]
        results = []
        for question, vector in zip(questions, self.encoder.encode_questions(questions), strict=True):
            candidates = expert.slice.search(question, vector, depth)
            ranked = ranking(candidates, fuse(candidates, expert.background, fusion), depth)
            texts = expert.slice.passages([i for i, _ in ranked])
            results.append([(passage, score) for passage, (_, score) in zip(texts, ranked, strict=True)])
        return results

    @property
    def router(self) -> Router:
        """The router; its null expert is encoded once and kept beside the slices."""
        with self._lock:
            if self._router is None:
                self._router = self._make_router(self._null())
            return self._router

    def close(self) -> None:
        """Release all slices."""
        with self._lock:
            for expert in self.experts.values():
                expert.slice.close()
            self.experts, self._opened = {}, False

    def _open(self, folder: Path) -> None:
        try:
            slice_ = Slice.open(folder, self.encoder, self.open_store)
            if slice_.store.count() == 0:
                slice_.close()
                raise InputError(
                    f"Slice {folder.name!r} is empty.", f"Add documents: `symposia add PATH --expert {folder.name}`."
                )
            self.experts[slice_.name] = Expert.of(slice_, self.encoder)
        except SymposiaError as error:
            self.problems[folder.name] = str(error)

    def _gather(self, question: str, vector: Vectors, route: Route, passages: int) -> Found:
        hits: list[tuple[float, str, str, dict[str, float]]] = []
        failures = dict(self.problems)
        for name in route.experts:
            try:
                hits += self._hits(self.experts[name], question, vector, passages)
            except SymposiaError as error:
                failures[name] = str(error)
        hits.sort(key=lambda hit: (-hit[0], hit[2]))
        evidence = self._evidence(hits, passages)
        return replace(route, failures=failures), evidence

    def _hits(
        self, expert: Expert, question: str, vector: Vectors, passages: int
    ) -> list[tuple[float, str, str, dict[str, float]]]:
        candidates = expert.slice.search(question, vector, self.retrieval.depth)
        logits = fuse(candidates, expert.background, "calibrated")
        order = np.argsort(-logits, kind="stable")[: 2 * passages]
        probabilities = sigmoid(logits)
        coverage = candidates.coverage
        return [
            (
                float(probabilities[i]),
                expert.name,
                candidates.ids[i],
                {
                    "dense": float(candidates.dense[i]),
                    "bm25": float(candidates.bm25[i]),
                    "coverage": float(coverage[i]),
                },
            )
            for i in order
        ]

    def _evidence(self, hits: list[tuple[float, str, str, dict[str, float]]], passages: int) -> tuple[Evidence, ...]:
        evidence: list[Evidence] = []
        texts: set[str] = set()
        for probability, name, passage_id, scores in hits:
            if len(evidence) == passages or (evidence and probability < self.retrieval.floor):
                break
            passage = self.experts[name].slice.passages([passage_id])[0]
            if passage.text in texts:
                continue
            texts.add(passage.text)
            evidence.append(Evidence(len(evidence) + 1, passage, name, probability, scores))
        return tuple(evidence)

    def _null(self) -> NullExpert:
        path = self.folder / NULL_FILE
        revision = self.encoder.fingerprint.revision
        if path.is_file():
            with np.load(path) as arrays:
                if str(arrays["revision"]) == revision:
                    pilots = Pilots(arrays["pilots"], Background(*map(float, arrays["background"])))
                    return NullExpert(pilots, tuple(arrays["kinds"].tolist()))
        null = NullExpert.of(self.encoder, self.encoder.encode_questions(background_questions()))
        self.folder.mkdir(parents=True, exist_ok=True)
        background = null.pilots.background
        np.savez(
            path,
            pilots=null.pilots.vectors,
            background=np.array([background.centre, background.spread]),
            kinds=np.array(null.kinds),
            revision=np.array(revision),
        )
        return null
