"""Indexing a BEIR corpus for evaluation: whole, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.library import AddProgress, Library
from indexes.errors import InputError
from indexes.readers.files import read

if TYPE_CHECKING:
    from app.settings import Settings
    from indexes.readers.problem import Problem
    from retrievers.panel import Panel
    from retrievers.training.kinds import Report

EMPTY = "has no words"


def index(panel: Panel, settings: Settings, folder: Path, report: Report) -> int:
    """Make the corpus of ``folder`` an expert of the folder's name; what is there already costs nothing.

    Returns
    -------
    int
        Records without any text, which no question can find; they are left out.

    Raises
    ------
    InputError
        Where a record cannot be read: a corpus with holes gives scores that cannot be compared.
    """
    name = folder.resolve().name
    panel.open()
    problems: list[Problem] = []
    total = sum(1 for line in (folder / "corpus.jsonl").open("rb") if line.strip())
    library = Library(panel, settings)

    def show(progress: AddProgress) -> None:
        report(f"indexing {name}", progress.passages, total)

    library.add_documents(
        read(folder, on_problem=problems.append), name, f"The set {name}.", on_progress=show, problems=problems
    )
    broken = [problem for problem in problems if EMPTY not in problem.reason]
    if broken:
        raise InputError(
            f"{len(broken)} records of {folder} could not be read; the first: {broken[0].reason}", "Mend corpus.jsonl."
        )
    return len(problems)
