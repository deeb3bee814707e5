"""Offline evaluation of retrieval on a BEIR folder: index it once, search it in several ways, score the runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.bench.retrieval.indexing import index
from app.wiring import make_panel
from evaluation.beir import BeirSet
from evaluation.experiment import evaluate_runs
from evaluation.runs import retrieve_run
from retrievers.fusion import Fusion

if TYPE_CHECKING:
    from app.settings import Settings
    from evaluation.report import Table

DEPTH = 100
MODES: dict[str, Fusion] = {"dense": "dense", "bm25": "bm25", "hybrid": "calibrated", "rrf": "rrf", "minmax": "minmax"}

Report = Callable[[str], None]


def evaluate_folder(
    settings: Settings,
    path: Path,
    *,
    split: str = "test",
    modes: Sequence[str] = ("dense", "bm25", "hybrid"),
    out: Path,
    limit: int | None = None,
    on_progress: Report = lambda _: None,
) -> Table:
    """Index the corpus (once: the slice is kept under ``home``), run each mode, write the runs, return the table.

    Parameters
    ----------
    path
        A folder in BEIR layout.
    split
        The file under ``qrels/`` to judge by.
    modes
        Keys of ``MODES``; the first is the baseline.
    out
        Folder for the TREC runs, per-question scores, metrics and manifest.
    limit
        Only the first questions of the split, by id.
    on_progress
        Called with one line of text.
    """
    beir = BeirSet.read(path, split)
    questions = dict(sorted(beir.questions.items())[:limit])
    panel = make_panel(settings, settings.home / "evaluations" / "slices")
    try:
        name = path.resolve().name
        index(panel, settings, path, lambda what, done, total: on_progress(f"{what}: {done} of {total}"))
        runs = []
        for mode in modes:
            fusion = MODES[mode]

            def search(texts: list[str], fusion: Fusion = fusion) -> list[list[tuple[str, float]]]:
                ranked = panel.search(name, texts, fusion, DEPTH)
                return [[(passage.key, score) for passage, score in hits] for hits in ranked]

            def report(done: int, total: int, mode: str = mode) -> None:
                on_progress(f"{mode}: {done} of {total} questions")

            runs.append(retrieve_run(mode, questions, search, DEPTH, report))
    finally:
        panel.close()
    asked = replace(beir, qrels={question: beir.qrels[question] for question in questions})
    return evaluate_runs(asked, runs, out, record={"encoder": panel.encoder.fingerprint.to_dict(), "depth": DEPTH})
