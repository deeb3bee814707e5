"""The library: what the experts know, and adding to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexes.errors import InputError
from indexes.manifest import Manifest
from indexes.passage import Document, Passage
from indexes.slice import Added, check_name

if TYPE_CHECKING:
    from app.settings import Settings
    from indexes.readers.problem import Problem
    from retrievers.panel import Panel

SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class AddProgress:
    """How far adding has come: documents read, passages seen, passages embedded, and seconds so far."""

    documents: int
    passages: int
    embedded: int
    seconds: float


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
    """

    expert: str
    documents: int
    passages: int
    embedded: int
    problems: tuple[Problem, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "expert": self.expert,
            "documents": self.documents,
            "passages": self.passages,
            "embedded": self.embedded,
            "problems": [{"path": str(p.path), "reason": p.reason, "fix": p.fix} for p in self.problems],
            "seconds": self.seconds,
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
    """Adds documents to slices, and lists the experts.

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
        on_progress: Callable[[AddProgress], None] | None = None,
        on_problem: Callable[[Problem], None] | None = None,
    ) -> AddReport:
        """Read files, folders and BEIR folders into the slice of ``expert``, which is created where there is none.

        Passages that are there already cost nothing. A file that cannot be read is reported and the rest goes on.
        """
        from indexes.readers.files import read

        problems: list[Problem] = []

        def note(problem: Problem) -> None:
            problems.append(problem)
            if on_problem is not None:
                on_problem(problem)

        documents = chain.from_iterable(read(path, on_problem=note) for path in paths)
        return self.add_documents(documents, expert, description, on_progress=on_progress, problems=problems)

    def add_documents(
        self,
        documents: Iterable[Document],
        expert: str,
        description: str = "",
        *,
        on_progress: Callable[[AddProgress], None] | None = None,
        problems: Sequence[Problem] = (),
    ) -> AddReport:
        """Like ``add_paths``, for documents from anywhere. ``problems`` is read when all documents were."""
        check_name(expert)
        started, count = time.perf_counter(), _Counter(documents)
        passages = self._split(count)
        sample = list(islice(passages, SAMPLE))
        if not sample:
            reasons = "; ".join(f"{problem.path}: {problem.reason}" for problem in problems)
            raise InputError(
                f"Nothing to add to {expert!r}: no text was found. {reasons}".strip(),
                "Name a file or folder with text, Markdown, HTML, PDF, DOCX, JSONL or a BEIR corpus.",
            )

        def report(added: Added) -> None:
            if on_progress is not None:
                seconds = time.perf_counter() - started
                on_progress(AddProgress(count.value, added.passages, added.embedded, seconds))

        slice_ = self.panel.slice(expert, description, sample)
        added = slice_.add(chain(sample, passages), self.panel.encoder, report)
        self.panel.install(slice_)
        seconds = time.perf_counter() - started
        return AddReport(expert, count.value, added.passages, added.embedded, tuple(problems), seconds)

    def cards(self) -> list[ExpertCard]:
        """All experts by name."""
        self.panel.open()
        fine = [_card(expert.slice.manifest) for expert in self.panel.experts.values()]
        broken = [ExpertCard(name, problem=problem) for name, problem in self.panel.problems.items()]
        return sorted([*fine, *broken], key=lambda card: card.name)

    def _split(self, documents: Iterable[Document]) -> Iterator[Passage]:
        from indexes.splitter import Splitter

        splitter = Splitter(size=self.settings.split.size, overlap=self.settings.split.overlap)
        return chain.from_iterable(map(splitter.split, documents))


class _Counter:
    """Counts what is drawn through it."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = documents
        self.value = 0

    def __iter__(self) -> Iterator[Document]:
        for document in self.documents:
            self.value += 1
            yield document


def _card(manifest: Manifest) -> ExpertCard:
    return ExpertCard(
        manifest.name, manifest.description, manifest.passages, manifest.fingerprint.model, manifest.updated
    )
