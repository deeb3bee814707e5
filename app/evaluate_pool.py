"""Offline evaluation on several BEIR folders pooled into one corpus: one encoder over all of it, and a panel of experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.bench.retrieval.arms import Answers, Fusion, PoolArm, RoutedArm, Work, routed
from app.bench.retrieval.indexing import index
from app.bench.retrieval.pool import pooled
from app.bench.retrieval.sets import Questions, passages_by_key, questions_of, require_sets
from app.wiring import make_panel
from evaluation.beir import BeirSet
from evaluation.comparison import compare_macro
from evaluation.experiment import evaluate_runs
from evaluation.metrics import DEFAULT_MEASURES, score_run
from evaluation.runs import Run
from retrievers.router import ScoredRouter

if TYPE_CHECKING:
    from app.settings import Settings
    from evaluation.report import Table
    from retrievers.panel import Panel
    from retrievers.training.kinds import Report

PANEL = "panel"
POOL_MODES: Mapping[str, Fusion] = {
    "dense": "dense",
    "bm25": "bm25",
    "rrf": ("rrf", 0.5),
    "minmax": ("minmax", 0.5),
    "zscore": ("zscore", 0.5),
    "dbsf": ("dbsf", 0.5),
}


def evaluate_pool(
    settings: Settings,
    folders: Sequence[Path],
    *,
    split: str = "test",
    modes: Sequence[str] = ("dense", "bm25", "rrf", PANEL),
    out: Path,
    limit: int | None = None,
    report: Report = lambda _what, _done, _total: None,
) -> Table:
    """Ask each set's questions of the pooled corpus, and of a panel with one expert a set, as the settings route it.

    Parameters
    ----------
    folders
        In BEIR layout. Each becomes an expert of its name, indexed once under ``home``; a trained one serves as trained.
    modes
        Keys of ``POOL_MODES`` and ``panel``; the first is the baseline.
    out
        A folder a set with runs, scores, routes and manifest is written there: what ``symposia compare`` reads.
    limit
        Only the first questions of each set.

    Returns
    -------
    Table
        Macro averages over the sets.
    """
    names = require_sets(folders, split)
    panel = make_panel(settings, settings.home / "evaluations" / "slices")
    try:
        for folder in folders:
            index(panel, settings, folder, report)
        scores: dict[str, dict[str, Mapping[str, np.ndarray]]] = {}
        for name, folder in zip(names, folders, strict=True):
            asked = questions_of(folder, split, passages_by_key(panel, name))
            questions = asked if limit is None else asked.head(limit)
            report("asking", len(scores), len(names))
            answers = _answers(panel, settings, names, questions, modes, report)
            scores[name] = _write(panel, folder, split, questions, answers, out / name)
        return compare_macro(f"pool of {', '.join(names)}, {split} split", scores, baseline=modes[0])
    finally:
        panel.close()


def _answers(
    panel: Panel, settings: Settings, names: Sequence[str], questions: Questions, modes: Sequence[str], report: Report
) -> dict[str, list[Answers]]:
    experts = {name: panel.experts[name] for name in names}
    vectors = panel.encoder.encode_questions(questions.texts)
    found: dict[str, list[Answers]] = {}
    fusions = {mode: POOL_MODES[mode] for mode in modes if mode != PANEL}
    if fusions:
        key = sha256("\n".join(sorted(names)).encode()).hexdigest()[:12]
        slice_ = pooled(panel, names, settings.home / "evaluations" / "pools" / key, report)
        try:
            found.update(PoolArm(slice_, fusions).rankings(Work(questions, vectors)))
        finally:
            slice_.close()
    if PANEL in modes:
        router = panel.router
        if not isinstance(router, ScoredRouter):
            raise TypeError("The panel's router is not one that scores experts.")
        arm = RoutedArm(router, experts, panel.retrieval)
        found[PANEL] = arm.answers(Work.of(questions, vectors, experts))
    return {mode: found[mode] for mode in modes}


def _write(
    panel: Panel, folder: Path, split: str, questions: Questions, answers: Mapping[str, Sequence[Answers]], out: Path
) -> dict[str, Mapping[str, np.ndarray]]:
    runs = [Run(mode, questions.rankings(ranking for ranking, _ in found)) for mode, found in answers.items()]
    beir = replace(BeirSet.read(folder, split), queries=questions.queries, qrels=questions.qrels)
    routes = {mode: records for mode, found in answers.items() if (records := routed(questions, found))}
    costs = {
        mode: {"experts asked": float(np.mean([len(record.asked) for record in records]))}
        for mode, records in routes.items()
    }
    record = {"encoder": panel.encoder.fingerprint.to_dict()}
    evaluate_runs(beir, runs, out, costs=costs, routing=routes, record=record)
    return {run.name: score_run(run, questions.qrels, DEFAULT_MEASURES).values for run in runs}
