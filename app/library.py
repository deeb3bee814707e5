"""The library: what the experts know, adding to it, and taking away from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from app.adding import SAMPLE, Adding, Cancelled, Source, cutting_of, handed
from indexes.errors import InputError, SliceError
from indexes.manifest import Manifest
from indexes.slice import check_name
from indexes.sync.following import NOTHING
from indexes.sync.reading import Reading
from indexes.sync.sync import Done, Wishes
from retrievers import router

if TYPE_CHECKING:
    from pathlib import Path

    from app.planning import AddPlan
    from app.settings import Settings
    from indexes.catalogue import DocumentCard
    from indexes.passage import Document, Passage
    from indexes.readers.problem import Problem
    from indexes.slice import Slice
    from indexes.sync.cutting import Cutting
    from indexes.sync.duplicates import Duplicates
    from retrievers.panel import Panel

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
    stored
        Ids of the documents all passages of which have been stored since the last report. The order of passages is not that
        in which they were read: those of like length are embedded together.
    """

    documents: int
    passages: int
    embedded: int
    seconds: float
    total: int | None = None
    stored: tuple[str, ...] = ()

    @property
    def rate(self) -> float | None:
        """Passages a second, without those that were there where any was not; ``None`` in the first second."""
        return (self.embedded or self.passages) / self.seconds if self.seconds >= SETTLED else None

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
        Passages that were new, and were embedded.
    problems
        Files that could not be read, with the reason; the others were added.
    new
        Documents of which any passage was new.
    replaced
        Earlier versions of documents, which are gone.
    stopped
        Whether somebody ended it early; adding the same again goes on.
    removed
        Documents that are gone because the files that they came from are, or do not have them any more.
    reused
        Passages that were new, but say what another one says, whose vector they have.
    withheld
        Folders and files of which so much is gone that nothing was removed.
    repeated
        Passages of the slice that say what one of another document says.
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
    removed: int = 0
    reused: int = 0
    withheld: tuple[Problem, ...] = ()
    repeated: int = 0

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
            "problems": [problem.to_dict() for problem in self.problems],
            "seconds": self.seconds,
            "new": self.new,
            "unchanged": self.unchanged,
            "replaced": self.replaced,
            "stopped": self.stopped,
            "removed": self.removed,
            "reused": self.reused,
            "withheld": [problem.to_dict() for problem in self.withheld],
            "repeated": self.repeated,
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
        replacing: bool = True,
        prune: bool = False,
        on_progress: Callable[[AddProgress], None] | None = None,
        on_problem: Callable[[Problem], None] | None = None,
        cancelled: Cancelled = lambda: False,
    ) -> AddReport:
        """Bring the slice of ``expert`` up to date with files, folders and BEIR folders; it is created where there is none.

        A file that is what it was is not even opened, and no text is embedded twice. A file that cannot be read is reported,
        what came from it stays, and the rest goes on.

        Parameters
        ----------
        below
            Sources and problems are named by their paths below this folder: of uploaded files that lie in a folder of
            their own for a moment, the names that people gave them. These are not followed: see ``add_documents``.
        replacing
            Whether a file's documents take the place of what was in it before, and what came from files that are gone from a
            folder that is given again is removed.
        prune
            Whether that is also done where more than half of a folder's documents, or of a file's, would go. Otherwise they
            stay, and the report says so (``withheld``).
        """
        problems: list[Problem] = []

        def note(problem: Problem) -> None:
            problems.append(problem)
            if on_problem is not None:
                on_problem(problem)

        check_name(expert)
        adding = Adding(self.panel, expert, description, Wishes(replacing, prune))
        cutting = self._cutting(expert)
        reading = Reading(paths, cutting, note, below)
        return self._added(adding, Source(reading, cutting, reading), on_progress, problems, cancelled)

    def plan(
        self,
        paths: Sequence[Path],
        expert: str,
        *,
        replacing: bool = True,
        prune: bool = False,
        on_progress: Callable[[Done], None] = lambda _: None,
    ) -> AddPlan:
        """What ``add_paths`` would do; writes nothing."""
        from app.planning import plan

        return plan(self.panel, self.settings, paths, expert, Wishes(replacing, prune), on_progress)

    def add_documents(
        self,
        documents: Iterable[Document],
        expert: str,
        description: str = "",
        *,
        replacing: bool = False,
        on_progress: Callable[[AddProgress], None] | None = None,
        cancelled: Cancelled = lambda: False,
    ) -> AddReport:
        """Add documents from anywhere. One without words is reported, what came from its source stays, and the rest goes on.

        Parameters
        ----------
        replacing
            Whether the slice's other documents from the same source go once the new ones are there: a file replaces its
            earlier version, a row with a key the row of that source with that key. Rows without a key replace nothing.
        cancelled
            Asked before each batch; once it says so, what was stored stays and nothing is replaced.

        Raises
        ------
        InputError
            No document has any words.
        """
        problems: list[Problem] = []
        check_name(expert)
        adding = Adding(self.panel, expert, description, Wishes(replacing))
        cutting = self._cutting(expert)
        source = Source(handed(documents, cutting, problems.append), cutting)
        return self._added(adding, source, on_progress, problems, cancelled)

    def _added(
        self,
        adding: Adding,
        source: Source,
        on_progress: Callable[[AddProgress], None] | None,
        problems: Sequence[Problem],
        cancelled: Cancelled,
    ) -> AddReport:
        started = time.perf_counter()

        def report(done: Done) -> None:
            if on_progress is not None:
                seconds, read = time.perf_counter() - started, source.cutting.documents
                stored = done.embedded + done.reused
                on_progress(AddProgress(read, done.passages, stored, seconds, adding.total, done.stored))

        done = adding.run(source, report, cancelled)
        dropped, seconds = done.dropped, time.perf_counter() - started
        if not (done.documents or done.stopped or dropped != NOTHING):
            reasons = "; ".join(f"{problem.path}: {problem.reason}" for problem in problems)
            raise InputError(
                f"Nothing to add to {adding.expert!r}: no text was found. {reasons}".strip(),
                "Name a file or folder with text, Markdown, HTML, PDF, DOCX, CSV, TSV, JSONL or a BEIR corpus.",
            )
        return AddReport(
            adding.expert,
            done.documents,
            done.passages,
            done.embedded,
            tuple(problems),
            seconds,
            done.new,
            dropped.replaced,
            done.stopped,
            dropped.removed,
            done.reused,
            dropped.withheld,
            adding.repeated,
        )

    def _cutting(self, expert: str) -> Cutting:
        return cutting_of(self.settings, sample=0 if self.panel.has(expert) else SAMPLE)

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

    def duplicates(self, expert: str, least: float = 0.8) -> Duplicates:
        """Passages of an expert that several documents have word for word, or nearly: see ``indexes.sync.duplicates``."""
        from indexes.sync.duplicates import duplicates

        return duplicates(self._slice(expert).store, least=least)

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
        router.Wishes(force=(expert,)).check(self.panel.experts)
        return self.panel.experts[expert].slice


def _card(manifest: Manifest) -> ExpertCard:
    return ExpertCard(
        manifest.name, manifest.description, manifest.passages, manifest.fingerprint.model, manifest.updated
    )
