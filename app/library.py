"""The library: what the experts know, adding to it, and taking away from it."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexes.errors import InputError, SliceError
from indexes.manifest import Manifest
from indexes.passage import Document, Passage
from indexes.slice import Added, check_name
from retrievers.router import Wishes

if TYPE_CHECKING:
    from app.settings import Settings
    from indexes.catalogue import DocumentCard
    from indexes.readers.problem import Problem
    from indexes.slice import Slice
    from retrievers.panel import Panel

SAMPLE = 1000
AHEAD = 20_000  # passages that are read before they are embedded, so that it is known how many are still to come
SETTLED = 1.0  # seconds after which a rate says something


@dataclass(frozen=True, slots=True)
class AddProgress:
    """How far adding has come.

    Parameters
    ----------
    documents
        Read so far.
    passages
        Stored, or found to be there already.
    embedded
        Those of them that were new.
    seconds
        Since the start.
    total
        Passages in all, once everything has been read; ``None`` before.
    """

    documents: int
    passages: int
    embedded: int
    seconds: float
    total: int | None = None

    @property
    def rate(self) -> float | None:
        """Passages a second; ``None`` in the first second."""
        return self.passages / self.seconds if self.seconds >= SETTLED else None

    @property
    def left(self) -> float | None:
        """Seconds that the rest takes at that rate; ``None`` where either is not known."""
        return None if self.total is None or not self.rate else (self.total - self.passages) / self.rate


@dataclass(frozen=True, slots=True)
class AddReport:
    """What adding did.

    Parameters
    ----------
    documents, passages
        What was read.
    embedded
        Passages that were new.
    problems
        Files that could not be read, with the reason; the others were added.
    new
        Documents of which any passage was new.
    replaced
        Earlier versions of the new documents, which are gone.
    stopped
        Whether somebody ended it early; adding the same again goes on.
    """

    expert: str
    documents: int
    passages: int
    embedded: int
    problems: tuple[Problem, ...]
    seconds: float
    new: int = 0
    replaced: int = 0
    stopped: bool = False

    @property
    def unchanged(self) -> int:
        """Documents that were there already, repetitions included."""
        return self.documents - self.new

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "expert": self.expert,
            "documents": self.documents,
            "passages": self.passages,
            "embedded": self.embedded,
            "problems": [{"path": str(p.path), "reason": p.reason, "fix": p.fix} for p in self.problems],
            "seconds": self.seconds,
            "new": self.new,
            "unchanged": self.unchanged,
            "replaced": self.replaced,
            "stopped": self.stopped,
        }


@dataclass(frozen=True, slots=True)
class ExpertCard:
    """One expert, for a list of them; ``problem`` is empty where it can be asked."""

    name: str
    description: str = ""
    passages: int = 0
    encoder: str = ""
    updated: str = ""
    problem: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


class Library:
    """Lists experts and documents, adds documents to slices, and deletes them.

    Parameters
    ----------
    panel
        Where experts are seated.
    settings
        Say how documents are split.
    """

    def __init__(self, panel: Panel, settings: Settings) -> None:
        self.panel = panel
        self.settings = settings

    def add_paths(
        self,
        paths: Sequence[Path],
        expert: str,
        description: str = "",
        *,
        below: Path | None = None,
        replacing: bool = False,
        on_progress: Callable[[AddProgress], None] | None = None,
        on_problem: Callable[[Problem], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> AddReport:
        """Read files, folders and BEIR folders into the slice of ``expert``, which is created where there is none.

        Passages that are there already cost nothing. A file that cannot be read is reported and the rest goes on.

        Parameters
        ----------
        below
            Sources and problems are named by their paths below this folder: of uploaded files that lie in a folder of
            their own for a moment, the names that people gave them.
        replacing
            See ``add_documents``.
        """
        from indexes.readers.files import read

        problems: list[Problem] = []

        def note(problem: Problem) -> None:
            named = replace(problem, path=Path(_below(str(problem.path), below)))
            problems.append(named)
            if on_problem is not None:
                on_problem(named)

        documents = chain.from_iterable(read(path, on_problem=note) for path in paths)
        named = (replace(document, source=_below(document.source, below)) for document in documents)
        return self.add_documents(
            documents if below is None else named,
            expert,
            description,
            replacing=replacing,
            on_progress=on_progress,
            problems=problems,
            cancelled=cancelled,
        )

    def add_documents(
        self,
        documents: Iterable[Document],
        expert: str,
        description: str = "",
        *,
        replacing: bool = False,
        on_progress: Callable[[AddProgress], None] | None = None,
        problems: Sequence[Problem] = (),
        cancelled: Callable[[], bool] = lambda: False,
    ) -> AddReport:
        """Like ``add_paths``, for documents from anywhere. ``problems`` is read when all documents were.

        Parameters
        ----------
        replacing
            Whether the slice's other documents from the same source go once the new ones are there: a file replaces its
            earlier version, a row with a key the row of that source with that key. Rows without a key replace nothing.
        cancelled
            Asked before each passage; once it says so, what was taken up is stored and nothing is replaced.
        """
        check_name(expert)
        started, read = time.perf_counter(), _Read(documents)
        ahead = _Ahead(self._split(read), AHEAD, cancelled)
        passages = iter(ahead)
        sample = list(islice(passages, SAMPLE))
        if not sample and ahead.stopped:
            return AddReport(expert, 0, 0, 0, tuple(problems), time.perf_counter() - started, stopped=True)
        if not sample:
            reasons = "; ".join(f"{problem.path}: {problem.reason}" for problem in problems)
            raise InputError(
                f"Nothing to add to {expert!r}: no text was found. {reasons}".strip(),
                "Name a file or folder with text, Markdown, HTML, PDF, DOCX, JSONL or a BEIR corpus.",
            )

        def report(added: Added) -> None:
            if on_progress is not None:
                seconds = time.perf_counter() - started
                on_progress(AddProgress(read.count, added.passages, added.embedded, seconds, ahead.total))

        slice_ = self.panel.slice(expert, description, sample)
        added = slice_.add(chain(sample, passages), self.panel.encoder, report)
        replaced = slice_.remove(read.superseded(slice_.documents())) if replacing and not ahead.stopped else 0
        self.panel.install(slice_)
        return AddReport(
            expert,
            ahead.documents if ahead.stopped else read.count,
            added.passages,
            added.embedded,
            tuple(problems),
            time.perf_counter() - started,
            added.documents,
            replaced,
            ahead.stopped,
        )

    def documents(
        self, expert: str, offset: int = 0, limit: int = 50, like: str = ""
    ) -> tuple[int, list[DocumentCard]]:
        """The documents of an expert by title: how many there are, and ``limit`` of them from ``offset`` on.

        Parameters
        ----------
        like
            Only those whose title, source, key or id contains this text.

        Raises
        ------
        InputError
            For an unknown expert.
        SliceError
            Where the expert's slice cannot be read.
        """
        cards = self._slice(expert).documents()
        found = [card for card in cards if card.says(like)] if like.strip() else cards
        return len(found), list(found[max(0, offset) : max(0, offset) + max(0, limit)])

    def passages(self, expert: str, document_id: str) -> list[Passage]:
        """The passages of one document as they stand in it; an ``InputError`` where the expert has no such document."""
        found = self._slice(expert).document(document_id)
        if not found:
            raise InputError(
                f"Expert {expert!r} has no document {document_id!r}.",
                "List its documents; one that was changed or deleted has another id, or none.",
            )
        return found

    def remove_documents(self, expert: str, ids: Iterable[str]) -> int:
        """Delete documents from an expert's slice; gives how many of them were there.

        An expert that has lost all its documents cannot be asked until some are added; its adapter and card stay.
        """
        slice_ = self._slice(expert)
        removed = slice_.remove(ids)
        if removed:
            self.panel.refresh(slice_)
        return removed

    def cards(self) -> list[ExpertCard]:
        """All experts by name."""
        self.panel.open()
        fine = [_card(expert.slice.manifest) for expert in self.panel.experts.values()]
        broken = [ExpertCard(name, problem=problem) for name, problem in self.panel.problems.items()]
        return sorted([*fine, *broken], key=lambda card: card.name)

    def _slice(self, expert: str) -> Slice:
        self.panel.open()
        if expert in self.panel.problems:
            raise SliceError(
                f"Expert {expert!r} cannot be read: {self.panel.problems[expert]}",
                "`symposia doctor` checks everything.",
            )
        Wishes(force=(expert,)).check(self.panel.experts)
        return self.panel.experts[expert].slice

    def _split(self, documents: Iterable[Document]) -> Iterator[Passage]:
        from indexes.splitter import Splitter

        splitter = Splitter(size=self.settings.split.size, overlap=self.settings.split.overlap)
        return chain.from_iterable(map(splitter.split, documents))


class _Read:
    """Draws documents, counts them, and notes which of them may replace another."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = documents
        self._versions: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.count = 0

    def __iter__(self) -> Iterator[Document]:
        for document in self._documents:
            self.count += 1
            if document.source and (document.key or not document.whole):
                self._versions[document.source, document.key].add(document.id)
            yield document

    def superseded(self, cards: Iterable[DocumentCard]) -> list[str]:
        """Ids of those documents of which another version was read, and not they themselves."""
        now = self._versions
        return [card.id for card in cards if card.id not in now.get((card.source, card.key), {card.id})]


class _Ahead:
    """Gives passages until somebody says stop, and draws up to so many ahead of them.

    ``total`` is known once the last was drawn; ``documents`` are those of which any passage was given.
    """

    def __init__(self, items: Iterable[Passage], most: int, cancelled: Callable[[], bool]) -> None:
        self._items = iter(items)
        self._most = most
        self._cancelled = cancelled
        self._drawn = 0
        self._last = ""
        self.total: int | None = None
        self.documents = 0
        self.stopped = False

    def __iter__(self) -> Iterator[Passage]:
        waiting = deque[Passage]()
        while not self.stopped:
            self._fill(waiting)
            if not waiting:
                return
            self.stopped = self._cancelled()
            if not self.stopped:
                yield self._given(waiting.popleft())

    def _given(self, passage: Passage) -> Passage:
        self.documents += passage.document_id != self._last
        self._last = passage.document_id
        return passage

    def _fill(self, waiting: deque[Passage]) -> None:
        if self.total is not None:
            return
        new = list(islice(self._items, self._most - len(waiting)))
        waiting.extend(new)
        self._drawn += len(new)
        if len(waiting) < self._most:
            self.total = self._drawn


def _below(path: str, folder: Path | None) -> str:
    """The path below a folder; as it is where it does not lie there."""
    if folder is None or not Path(path).is_relative_to(folder):
        return path
    return str(Path(path).relative_to(folder))


def _card(manifest: Manifest) -> ExpertCard:
    return ExpertCard(
        manifest.name, manifest.description, manifest.passages, manifest.fingerprint.model, manifest.updated
    )
