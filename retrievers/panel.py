"""The panel runs this room: a question in, a route and ranked evidence out."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from indexes.encoders.base import Encoder, Vectors
from indexes.errors import InputError, SliceError, StoreError, SymposiaError
from indexes.generations import beside, drop_others, opened
from indexes.manifest import FILE as MANIFEST
from indexes.manifest import Manifest, check_fingerprint
from indexes.passage import Passage
from indexes.room import OPENING
from indexes.slice import OpenStore, Slice
from indexes.store.base import Store
from indexes.store.lock import lock
from indexes.store.open import SHARD
from retrievers.evidence import Evidence, Route
from retrievers.expert import Expert
from retrievers.fusion import Fusion, fuse, ranking
from retrievers.gate import NullExpert
from retrievers.gathering import Asked, Gathered, Retrieval, evidence, gather, reordered, search
from retrievers.parts import parts
from retrievers.reranker import Reranker
from retrievers.router import Router, ScoredRouter, Wishes, combine
from retrievers.shared_lock import SharedLock

Found = tuple[Route, tuple[Evidence, ...]]
NULL_FILE = "null.npz"
LEAST = 1e-9

T = TypeVar("T")


class MakeRouter(Protocol):
    """Makes a panel's router from the null expert."""

    def __call__(self, null: NullExpert, *, seen: frozenset[str] | None = None) -> Router:
        """The router of the whole panel, or of a view of it that sees those experts (see ``retrievers.view``)."""


def pilot_router(null: NullExpert, *, seen: frozenset[str] | None = None) -> Router:  # noqa: ARG001 (the same for all)
    """The pilot router as it is before anything was fitted."""
    return ScoredRouter(null)


@dataclass(frozen=True, slots=True)
class Seating:
    """All that one question is answered with: made with one and the same encoder, whatever is swapped meanwhile.

    Parameters
    ----------
    encoder, experts, null, router
        See ``Panel``.
    """

    encoder: Encoder
    experts: Mapping[str, Expert]
    null: NullExpert
    router: Router


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
    reranker
        Reorders what was gathered; ``None`` leaves it as it is.
    """

    def __init__(
        self,
        folder: Path,
        encoder: Encoder,
        open_store: OpenStore,
        router: MakeRouter = pilot_router,
        retrieval: Retrieval | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self.folder = folder
        self._encoder = encoder
        self.open_store = open_store
        self.retrieval = retrieval or Retrieval()
        self.reranker = reranker
        self.make_router = router
        self._experts: dict[str, Expert] = {}
        self._problems: dict[str, str] = {}
        self._null: NullExpert | None = None
        self._router: Router | None = None
        self._lock = threading.RLock()
        self._moment = threading.Lock()  # held for as long as it takes to put another seating in the place of this one
        self._asking, self._changing = SharedLock(), SharedLock()
        self._opened = False
        self._rebuilding, self._rebuilt = threading.Lock(), frozenset[str]()

    @property
    def encoder(self) -> Encoder:
        """The base encoder, as it is now."""
        return self._encoder

    @property
    def experts(self) -> Mapping[str, Expert]:
        """Those that can be asked, by name, as they are now."""
        return self._experts

    @property
    def problems(self) -> Mapping[str, str]:
        """Slices that could not be opened, by name, with the reason."""
        return self._problems

    def open(self) -> None:
        """Open every slice in the folder. One that cannot be opened is noted in ``problems``; the others serve."""
        with self._lock:
            if self._opened:
                return
            for manifest in sorted(self.folder.glob(f"*/{MANIFEST}")):
                self._open(manifest.parent)
            self._opened = True

    def admit(self, name: str) -> None:
        """Raise an ``InputError`` unless documents may be added to an expert of that name, be there one or not."""

    def has(self, name: str) -> bool:
        """Whether there is a slice of that name; it may be empty, or damaged."""
        self.open()
        return name in self.experts or (self.folder / name / MANIFEST).is_file()

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
            check_fingerprint(slice_.manifest, self.encoder.fingerprint)
            expert = Expert.of(slice_, self.encoder)
            self._experts = {**self._experts, slice_.name: expert}
            self._problems = _without(self._problems, slice_.name)
            return expert

    def refresh(self, slice_: Slice) -> None:
        """Measure an expert anew from whose slice something was taken; one that is empty now cannot be asked."""
        with self._lock:
            if slice_.store.count():
                self.install(slice_)
                return
            self._experts = {name: expert for name, expert in self._experts.items() if name != slice_.name}
            self._problems = {**self._problems, slice_.name: str(empty(slice_.name))}
            slice_.close()

    def withdraw(self, name: str) -> None:
        """Take an expert off the panel and delete its slice.

        Raises
        ------
        InputError
            There is no such expert, or it is being encoded anew.
        StoreError
            Another process has the slice open, or the store's server does not answer: the expert stays.
        """
        with self._lock:
            Wishes(forbid=(name,)).check([*self.experts, *self.problems])
            if name in self._rebuilt:
                raise InputError(
                    f"Expert {name!r} is being encoded anew, and cannot be removed meanwhile.",
                    "Wait until that has ended, or stop it.",
                )
            if name in self._experts:
                self._delete(self._experts[name])
            else:
                _delete_unopened(self.folder / name, self.open_store)
            self._problems = _without(self._problems, name)

    def retrieve(self, question: str, wishes: Wishes | None = None, passages: int | None = None) -> Found:
        """Route one question and gather its evidence."""
        return self.retrieve_many([question], wishes, passages)[0]

    def retrieve_many(
        self, questions: Sequence[str], wishes: Wishes | None = None, passages: int | None = None
    ) -> list[Found]:
        """Like ``retrieve``, for several questions that are encoded in one batch, part by part."""
        with self.seated() as seating:  # one panel for all of it, whoever comes or goes meanwhile
            return self._retrieve(seating, questions, wishes or Wishes(), passages)

    def _retrieve(
        self, seating: Seating, questions: Sequence[str], wishes: Wishes, passages: int | None
    ) -> list[Found]:
        self._check(wishes)
        retrieval = self.retrieval if passages is None else replace(self.retrieval, passages=passages)
        split = [parts(question) for question in questions]
        vectors = iter(seating.encoder.encode_questions([part for pieces in split for part in pieces]))
        routed = [self._route([(part, next(vectors)) for part in pieces], seating, wishes) for pieces in split]
        asked = [each for _, pieces in routed for each in pieces]
        found = gather(asked, seating.experts, retrieval)
        if self.reranker is not None:
            found = [reordered(*each, self.reranker) for each in zip(asked, found, strict=True)]
        gathered = iter(found)
        return [self._found(route, [next(gathered) for _ in pieces], retrieval) for route, pieces in routed]

    def rank_many(
        self, questions: Sequence[str], depth: int, wishes: Wishes | None = None
    ) -> list[tuple[Route, list[tuple[Passage, float]]]]:
        """Route and ranking of each question, ``depth`` long at most: what offline evaluation measures.

        As in ``retrieve_many``, but no passage is dropped for being improbable.
        """
        with self.seated() as seating:
            return self._rank(seating, questions, depth, wishes or Wishes())

    def _rank(
        self, seating: Seating, questions: Sequence[str], depth: int, wishes: Wishes
    ) -> list[tuple[Route, list[tuple[Passage, float]]]]:
        self._check(wishes)
        retrieval = replace(self.retrieval, depth=depth)
        routed = [
            self._route([(question, vector)], seating, wishes)
            for question, vector in zip(questions, seating.encoder.encode_questions(questions), strict=True)
        ]
        found = []
        listings = iter(search([asked for _, pieces in routed for asked in pieces], seating.experts, retrieval))
        for route, pieces in routed:
            ranked: list[tuple[Passage, float]] = []
            for _ in pieces:
                listing = next(listings)
                scores = [score for _, score in listing.order[:depth]]
                ranked += zip(listing.passages(depth), scores, strict=True)
            found.append((route, ranked))
        return found

    def search(
        self, name: str, questions: Sequence[str], fusion: Fusion, depth: int
    ) -> list[list[tuple[Passage, float]]]:
        """Ranking of one expert for each question, ``depth`` long at most: what offline evaluation measures."""
        self.open()
        with self.pinned(lambda: (self.encoder, self.experts)) as (encoder, experts):
            Wishes(force=(name,)).check(experts)
            return self._search(experts[name], encoder, questions, fusion, depth)

    def _search(
        self, expert: Expert, encoder: Encoder, questions: Sequence[str], fusion: Fusion, depth: int
    ) -> list[list[tuple[Passage, float]]]:
        vectors = expert.adapter.questions(questions, encoder.encode_questions(questions))
        results = []
        for question, vector in zip(questions, vectors, strict=True):
            candidates = expert.slice.search(question, vector, depth)
            ranked = ranking(candidates, fuse(candidates, expert.background, fusion, expert.relevance), depth)
            texts = expert.slice.passages([i for i, _ in ranked])
            results.append([(passage, score) for passage, (_, score) in zip(texts, ranked, strict=True)])
        return results

    @contextmanager
    def seated(self) -> Iterator[Seating]:
        """The panel as it is at this moment; what it holds is not closed before the ``with`` ends, even if it is swapped."""
        self.open()
        self.router  # noqa: B018 (made now, since that may take some seconds)
        with self.pinned(self._seating) as seating:
            yield seating

    @contextmanager
    def pinned(self, take: Callable[[], T]) -> Iterator[T]:
        """What ``take`` gives of the panel at this moment; slices that are on it now are not closed within."""
        while True:
            with self._moment:
                lock, taken = self._asking, take()
            with lock.shared():
                if lock is self._asking:  # nothing was swapped between the two
                    yield taken
                    return

    def held(self) -> AbstractContextManager[None]:
        """Within it, slices that are swapped for others stay open, so that whoever reads in one can end."""
        return self.pinned(lambda: None)

    def changing(self) -> AbstractContextManager[None]:
        """Within it, no slice is swapped for another, so that whoever adds or trains can end."""
        return self._changing.shared()

    def still(self, cancelled: Callable[[], bool] = lambda: False) -> AbstractContextManager[bool]:
        """Within it, nobody is ``changing`` anything; gives False where waiting for that was given up."""
        return self._changing.alone(cancelled)

    @contextmanager
    def rebuilds(self, names: Iterable[str]) -> Iterator[None]:
        """Within it, these slices are encoded anew, by nobody else, and cannot be withdrawn."""
        if not self._rebuilding.acquire(blocking=False):
            raise InputError("The slices are being encoded anew already.", "Wait until that has ended, or stop it.")
        try:
            self._rebuilt = frozenset(names)
            yield
        finally:
            self._rebuilt = frozenset()
            self._rebuilding.release()

    def expert_in(self, folder: Path, encoder: Encoder) -> Expert:
        """Open a slice as an expert that is asked with an encoder; a ``SymposiaError`` where it cannot be."""
        slice_ = Slice.open(folder, encoder, self.open_store)
        try:
            if slice_.store.count() == 0:
                raise empty(folder.name)
            return Expert.of(slice_, encoder)
        except BaseException:
            slice_.close()
            raise

    def seating_for(self, encoder: Encoder) -> Seating:
        """What is made with an encoder but for experts; it takes some seconds."""
        null = NullExpert.kept(self.folder / NULL_FILE, encoder)
        return Seating(encoder, {}, null, self.make_router(null))

    def swap(self, seating: Seating, problems: Mapping[str, str]) -> SharedLock:
        """Put another encoder and its experts in the place of these, in one moment.

        Questions that are being answered end with what they began with: the lock that is given back can be had alone when
        the last of them has, and then the slices that were swapped out may be closed.
        """
        with self._lock, self._moment:
            self._encoder, self._null, self._router = seating.encoder, seating.null, seating.router
            self._experts, self._problems = dict(seating.experts), dict(problems)
            before, self._asking = self._asking, SharedLock()
            return before

    @property
    def router(self) -> Router:
        """The router; its null expert is encoded once and kept beside the slices."""
        if self._router is None:  # once it is there, nobody waits for a lock
            with self._lock:
                self._router = self._router or self.make_router(self.null)
        return self._router

    @property
    def null(self) -> NullExpert:
        """The null expert, which knows nothing of the experts."""
        if self._null is None:
            with self._lock:
                self._null = self._null or NullExpert.kept(self.folder / NULL_FILE, self.encoder)
        return self._null

    def close(self) -> None:
        """Release all slices."""
        with self._lock:
            for expert in self._experts.values():
                expert.slice.close()
            self._experts, self._problems, self._opened = {}, {}, False

    def _delete(self, expert: Expert) -> None:
        """Delete a slice that is open; nobody is sent to its expert meanwhile."""
        self._experts = _without(self._experts, expert.name)
        try:
            drop_others(expert.slice.folder, self.open_store)
            expert.slice.delete()
        except StoreError:
            self._experts = {**self._experts, expert.name: expert}
            raise

    def _seating(self) -> Seating:
        return Seating(self.encoder, self.experts, self.null, self.router)

    def _open(self, folder: Path) -> None:
        try:
            expert = self.expert_in(folder, self.encoder)
        except SymposiaError as error:
            self._problems = {**self._problems, folder.name: str(error)}
            return
        self._experts[expert.name] = expert

    def _route(self, pieces: list[tuple[str, Vectors]], seating: Seating, wishes: Wishes) -> tuple[Route, list[Asked]]:
        profiles = {name: expert.profile for name, expert in seating.experts.items()}
        routes = [seating.router.route(part, vector, profiles, wishes) for part, vector in pieces]
        route = combine(routes)
        if route.decision == "retrieve" and not profiles:
            raise self._nobody()
        wanted = set(wishes.force or profiles)
        if route.decision == "retrieve" and wanted <= set(wishes.forbid):
            raise InputError(
                f"All experts that could be asked are forbidden: {', '.join(sorted(wanted))}.",
                "Allow one, or ask without retrieval (--no-retrieve, retrieval=False).",
            )
        asked = [
            Asked(part, vector, _weights(taken, wishes)) for (part, vector), taken in zip(pieces, routes, strict=True)
        ]
        return route, asked

    def _found(self, route: Route, gathered: list[Gathered], retrieval: Retrieval) -> Found:
        failures = {**self.problems, **{name: why for part in gathered for name, why in part.failures.items()}}
        unknown = tuple(dict.fromkeys(word for part in gathered for word in part.unknown))
        return replace(route, failures=failures, unknown=unknown), evidence(gathered, retrieval)

    def _check(self, wishes: Wishes) -> None:
        for name in wishes.force:
            if name in self.problems:
                raise SliceError(
                    f"Expert {name!r} cannot be asked: {self.problems[name]}", "Mend it, or ask the others."
                )
        wishes.check([*self.experts, *self.problems])

    def _nobody(self) -> SymposiaError:
        if self.problems:
            listed = "\n".join(f"{name}: {problem}" for name, problem in self.problems.items())
            return SliceError(f"No expert can be asked.\n{listed}", "`symposia doctor` checks everything.")
        return SliceError(
            f"There are no experts in {self.folder}.",
            "Make one with `symposia add PATH --expert NAME`, or build the demo with `symposia demo`.",
        )


def empty(name: str) -> InputError:
    """The error for an expert whose slice holds no passage."""
    return InputError(f"Slice {name!r} is empty.", f"Add documents: `symposia add PATH --expert {name}`.")


def _without(by_name: Mapping[str, T], name: str) -> dict[str, T]:
    """A new mapping, since somebody may be reading the old one."""
    return {other: value for other, value in by_name.items() if other != name}


def _delete_unopened(folder: Path, open_store: OpenStore) -> None:
    """Delete a slice that could not be opened, with the points of each of its generations.

    The stores are opened first, so that a ``StoreError`` (another process has one, or the server does not answer) leaves
    all of them as they are. What is damaged has no points to ask for, and goes with the folder.
    """
    stores: list[Store] = []
    with ExitStack() as held:
        for manifest in _generations(folder):
            store = _store(manifest, folder, open_store)
            if store is not None:
                held.callback(store.close)
                stores.append(store)
        for store in stores:
            store.drop()
    shutil.rmtree(folder)


def _generations(folder: Path) -> list[Manifest]:
    """Of the slice in ``folder``, the present one first; none where its manifest is damaged."""
    try:
        return [Manifest.read(folder), *beside(folder)]
    except SliceError:
        return []


def _store(manifest: Manifest, folder: Path, open_store: OpenStore) -> Store | None:
    """The open store of a generation that is to be deleted; ``None`` where it goes as it lies there.

    That is one that is damaged, and one that nobody holds on a disk without the room to open it: deleting it makes some.
    """
    try:
        return opened(manifest, folder, open_store)
    except SliceError:
        return None
    except StoreError:
        shard = manifest.store_folder(folder) / SHARD
        if not shard.is_dir() or shutil.disk_usage(folder).free >= OPENING:
            raise
        lock(shard).release()
        return None


def _weights(route: Route, wishes: Wishes) -> dict[str, float]:
    """How much each expert that is asked counts: its probability, or where people chose the experts, all the same."""
    return {
        share.expert: 1.0 if wishes.force else max(share.probability, LEAST) for share in route.shares if share.asked
    }
