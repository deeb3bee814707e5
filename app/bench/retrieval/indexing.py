"""Indexing a BEIR corpus for evaluation: whole, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.library import AddProgress, Library
from indexes.errors import InputError
from indexes.passage import Document
from indexes.readers.jsonl import CORPUS, rows

if TYPE_CHECKING:
    from app.settings import Settings
    from retrievers.panel import Panel
    from retrievers.training.kinds import Report

EMPTY = "has no words"


def index(panel: Panel, settings: Settings, folder: Path, report: Report, description: str = "") -> int:
    """Make the corpus of ``folder`` an expert of the folder's name; what is there already costs nothing.

    Returns
    -------
    int
        Records without any text, which no question can find; they are left out.

    Raises
    ------
    InputError
        Where a record cannot be read: a corpus with holes gives scores that cannot be compared. Nothing is indexed then.
    """
    corpus, name = folder / CORPUS, folder.resolve().name
    total, empty = _examined(corpus)
    panel.open()

    def show(progress: AddProgress) -> None:
        report(f"indexing {name}", progress.passages, total)

    documents = (row for row in rows(corpus) if isinstance(row, Document))
    Library(panel, settings).add_documents(documents, name, description or f"The set {name}.", on_progress=show)
    return empty


def _examined(corpus: Path) -> tuple[int, int]:
    """How many records can be indexed, and how many are empty."""
    total = empty = 0
    broken: list[str] = []
    for row in rows(corpus):
        if isinstance(row, Document):
            total += 1
        elif row.reason.endswith(EMPTY):
            empty += 1
        else:
            broken.append(row.reason)
    if broken:
        raise InputError(
            f"{len(broken)} records of {corpus} cannot be read; the first: {broken[0]}.", f"Mend {CORPUS}."
        )
    return total, empty
