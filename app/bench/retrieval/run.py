"""The benchmark's table: one general encoder, its fusions with BM25, one adapter for all, and experts under each router."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.bench.retrieval import pool
from app.bench.retrieval.arms import MEASURE, Answers, Fusion, PoolArm, RoutedArm, Work, best_expert, ndcg, routed
from app.bench.retrieval.language import chooser
from app.bench.retrieval.sets import MOST_DEV, Questions, Set, build
from app.wiring import make_panel
from evaluation.beir import BeirSet
from evaluation.comparison import compare_macro
from evaluation.experiment import evaluate_runs
from evaluation.macro import macro_mean
from evaluation.routing import Routed, RoutingSummary, routing_summary
from evaluation.runs import Run
from indexes.adapters.linear import Linear
from indexes.encoders.base import Vectors
from indexes.errors import InputError
from indexes.slice import Slice
from retrievers.merging import Merging
from retrievers.router import ScoredRouter
from retrievers.scorers import (
    Choice,
    Classifier,
    Everyone,
    Familiarity,
    MeanPilot,
    NearestCentroid,
    NearestQuestion,
    Oracle,
    Scorer,
)

if TYPE_CHECKING:
    from app.settings import Settings
    from evaluation.report import Table
    from retrievers.panel import Panel
    from retrievers.training.kinds import Report

NEVER = 2.0
TIMED = 10
OURS, BASE, ORACLE = "Symposia", "base encoder", "oracle, per question"
METHODS: tuple[Merging, ...] = ("rrf", "minmax", "zscore", "dbsf")
WEIGHTS = (0.3, 0.5, 0.7)
FUSIONS: Mapping[str, tuple[Merging, float]] = {
    f"{method}, BM25 {weight:g}": (method, weight) for method in METHODS for weight in WEIGHTS
}


@dataclass(frozen=True)
class Outcome:
    """What was measured.

    Parameters
    ----------
    table
        Macro-averages, each tested against ours.
    to_base
        The same, each tested against the base encoder on the pool.
    by_set
        Row name to set name to the mean nDCG@10.
    routing
        Row name to what its router did, over all questions.
    milliseconds
        Row name to CPU milliseconds a question, encoding included.
    language
        The language model's choices beside ours, on the questions that it was asked; ``None`` where it was not.
    notes
        What else must be known.
    """

    table: Table
    to_base: Table
    by_set: Mapping[str, Mapping[str, float]]
    routing: Mapping[str, RoutingSummary]
    milliseconds: Mapping[str, float]
    language: Table | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "measure": MEASURE,
            "rows": {
                row.name: {
                    "macro": row.values[MEASURE].to_dict(),
                    "sets": dict(self.by_set[row.name]),
                    "to base": self.to_base.row(row.name).to_dict(),
                    "to ours": row.to_dict(),
                    "routing": self.routing[row.name].to_dict() if row.name in self.routing else None,
                    "CPU ms": self.milliseconds.get(row.name),
                }
                for row in self.table.rows
            },
            "language": self.language.to_dict() if self.language else None,
            "notes": list(self.notes),
        }


def run(
    settings: Settings,
    folders: Sequence[Path],
    *,
    out: Path,
    language_questions: int = 0,
    report: Report = lambda _what, _done, _total: None,
) -> Outcome:
    """Build and train what is not there yet, ask every question of every arm, and compare.

    Parameters
    ----------
    folders
        BEIR folders; each becomes an expert of its name.
    out
        For the runs, per-question scores and routes, a folder a set: what ``symposia compare`` reads.
    language_questions
        How many questions of each set the language model routes; 0 for none.
    """
    if len(folders) < 2:
        raise InputError("A pool is made of several sets.", "Name at least two BEIR folders.")
    home = settings.home / "benchmarks" / "retrieval"
    panel = make_panel(settings, home / "slices")
    try:
        sets = build(panel, settings, folders, report)
        slice_ = pool.pooled(panel, [each.name for each in sets], home / "pool", report)
        try:
            return _Bench(panel, sets, slice_, settings, report).outcome(out, language_questions)
        finally:
            slice_.close()
    finally:
        panel.close()


class _Bench:
    """The arms of one run."""

    def __init__(self, panel: Panel, sets: Sequence[Set], slice_: Slice, settings: Settings, report: Report) -> None:
        self.panel, self.sets, self.slice, self.settings, self.report = panel, sets, slice_, settings, report
        # The folder may hold experts of other runs.
        self.experts = {each.name: panel.experts[each.name] for each in sets}
        self.test = {each.name: self._vectors(each.test.texts) for each in sets}
        self.train = {each.name: self._vectors(each.train.texts) for each in sets if each.train}

    def outcome(self, out: Path, language_questions: int) -> Outcome:
        """Measure."""
        fusion, notes = self._fusion()
        pools = self._pools(fusion)
        routers = {name: RoutedArm(r, self.experts, self.panel.retrieval) for name, r in self._routers().items()}
        scores: dict[str, dict[str, np.ndarray]] = {}
        routes: dict[str, list[Routed]] = {}
        for number, each in enumerate(self.sets):
            self.report("asking", number, len(self.sets))
            work = Work.of(each.test, self.test[each.name], self.experts)
            answers = dict(self._answers(pools, routers, work))
            scores[each.name] = {name: ndcg(each.test, [ranking for ranking, _ in a]) for name, a in answers.items()}
            records = {name: routed(each.test, a) for name, a in answers.items() if name in routers}
            for name, found in records.items():
                routes.setdefault(name, []).extend(found)
            self._write(each, answers, records, out / each.name)
        measures = {name: {row: {MEASURE: values} for row, values in rows.items()} for name, rows in scores.items()}
        skipped = sum(1 for record in routes[OURS] if not record.asked)
        return Outcome(
            compare_macro("against ours", measures, baseline=OURS),
            compare_macro("against the base encoder", measures, baseline=BASE),
            {row: {name: float(scores[name][row].mean()) for name in scores} for row in scores[self.sets[0].name]},
            {name: routing_summary(records) for name, records in routes.items()},
            self._milliseconds(pools, routers),
            self._language(routers[OURS], language_questions) if language_questions else None,
            (*notes, f"{skipped} questions were taken for small talk by our gate and score 0."),
        )

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        return self.panel.encoder.encode_questions(texts)

    def _fusion(self) -> tuple[str, tuple[str, ...]]:
        """The best standard fusion of the base encoder and BM25 on the pool, by macro nDCG@10 on questions of no test split."""
        arm = PoolArm(self.slice, FUSIONS)
        found: dict[str, dict[str, np.ndarray]] = {name: {} for name in FUSIONS}
        judging = {each.name: each.dev or each.train for each in self.sets}
        for number, (name, questions) in enumerate(judging.items()):
            self.report("choosing the rival's fusion", number, len(judging))
            if questions:
                few = questions.head(MOST_DEV)
                rankings = arm.rankings(Work(few, self._vectors(few.texts)))
                for fusion, answers in rankings.items():
                    found[fusion][name] = ndcg(few, [ranking for ranking, _ in answers])
        if not any(found.values()):
            return "rrf, BM25 0.5", ("No set has questions beside its test split: the rival's fusion is plain RRF.",)
        macro = {name: macro_mean(scores) for name, scores in found.items()}
        best = max(macro, key=lambda name: macro[name])
        used = ", ".join(name for name, questions in judging.items() if questions)
        note = f"Base + BM25 is fused by {best} (macro {macro[best]:.4f} on dev or train questions of {used}; {len(FUSIONS)} tried)."
        return best, (note,)

    def _pools(self, fusion: str) -> list[PoolArm]:
        base: dict[str, Fusion] = {"BM25": "bm25", BASE: "dense", "base + BM25": FUSIONS[fusion]}
        arms = [PoolArm(self.slice, base)]
        if self.train:
            adapter = self._multi_task()
            rows: dict[str, Fusion] = {"multi-task adapter": "dense", "multi-task + BM25": FUSIONS[fusion]}
            arms.append(PoolArm(self.slice, rows, adapter))
        return arms

    def _multi_task(self) -> Linear:
        train: list[pool.Judged] = []
        dev: list[pool.Judged] = []
        for each in self.sets:
            if each.train is None:
                continue
            vectors, relevant = self.train[each.name], each.train.relevant
            if each.dev is not None:
                train.append((vectors, relevant))
                dev.append((self._vectors(each.dev.texts), each.dev.relevant))
                continue
            held = np.arange(len(relevant)) % 5 == 0
            for part, mask in ((train, ~held), (dev, held)):
                part.append((vectors[mask], [relevant[n] for n in np.flatnonzero(mask)]))
        return pool.multi_task(self.slice, train, dev, np.concatenate(list(self.test.values())), self.report)

    def _routers(self) -> dict[str, ScoredRouter]:
        ours = self.panel.router
        if not isinstance(ours, ScoredRouter):
            raise TypeError("The panel's router is not one that scores experts.")
        known = self.train | {
            name: expert.profile.pilots.vectors for name, expert in self.experts.items() if name not in self.train
        }
        right = {text: each.name for each in self.sets for text in each.test.texts}

        def one(scorer: Scorer) -> ScoredRouter:
            return replace(ours, scorer=scorer, most=1, skip=NEVER)

        return {
            "all experts": replace(ours, scorer=Everyone(), mass=1.0, most=len(known), skip=NEVER),
            "nearest centroid": one(NearestCentroid()),
            "nearest question": one(NearestQuestion(known)),
            "RouterRetriever": one(MeanPilot()),
            "logistic classifier": one(Classifier.fit(known)),
            "ours, one expert": one(ours.scorer if isinstance(ours.scorer, Familiarity) else Familiarity()),
            OURS: ours,
            "oracle, per set": one(Oracle(right)),
        }

    def _answers(
        self, pools: Sequence[PoolArm], routers: Mapping[str, RoutedArm], work: Work
    ) -> Iterator[tuple[str, list[Answers]]]:
        for arm in pools:
            yield from arm.rankings(work).items()
        for name, routed_arm in routers.items():
            yield name, routed_arm.answers(work)
        yield ORACLE, best_expert(work, self.experts)

    def _write(
        self, each: Set, answers: Mapping[str, Sequence[Answers]], records: Mapping[str, Sequence[Routed]], out: Path
    ) -> None:
        questions = each.test
        runs = [Run(name, questions.rankings(ranking for ranking, _ in found)) for name, found in answers.items()]
        beir = replace(BeirSet.read(each.folder, "test"), queries=questions.queries, qrels=questions.qrels)
        costs = {
            name: {"experts asked": float(np.mean([len(record.asked) for record in found]))}
            for name, found in records.items()
        }
        record = {"encoder": self.panel.encoder.fingerprint.to_dict(), "pool": [other.name for other in self.sets]}
        evaluate_runs(beir, runs, out, baseline=BASE, costs=costs, routing=records, record=record)

    def _milliseconds(self, pools: Sequence[PoolArm], routers: Mapping[str, RoutedArm]) -> dict[str, float]:
        """CPU of a question from its text to its ranking: the median over some questions of each set, arms taking turns."""
        asking: dict[str, Callable[[str, Vectors], Answers]] = {}
        for arm in pools:
            for name in arm.fusions:
                asking[name] = lambda text, vector, arm=arm, name=name: arm.one(name, text, vector)  # type: ignore[misc]
        asking |= {name: arm.one for name, arm in routers.items()}
        spent: dict[str, list[float]] = {name: [] for name in asking}
        texts = [text for each in self.sets for text in each.test.texts[:TIMED]]
        for number, text in enumerate(texts):
            self.report("timing", number, len(texts))
            for name, ask in asking.items():
                started = time.process_time()
                ask(text, self._vectors([text])[0])
                spent[name].append(1000 * (time.process_time() - started))
        return {name: float(np.median(values)) for name, values in spent.items()}

    def _language(self, ours: RoutedArm, limit: int) -> Table:
        """The language model's choice beside ours, on the first questions of each set."""
        choice = RoutedArm(
            replace(ours.router, scorer=Choice(chooser(self.settings)), mass=0.99, most=len(self.sets), skip=NEVER),
            ours.experts,
            ours.retrieval,
        )
        scores: dict[str, dict[str, dict[str, np.ndarray]]] = {}
        for number, each in enumerate(self.sets):
            self.report("the language model chooses", number, len(self.sets))
            few: Questions = each.test.head(limit)
            work = Work.of(few, self.test[each.name][: len(few.ids)], self.experts)
            both = {"LLM choice": choice.answers(work), OURS: ours.answers(work)}
            scores[each.name] = {n: {MEASURE: ndcg(few, [ranking for ranking, _ in a])} for n, a in both.items()}
        return compare_macro("the language model's choice", scores, baseline=OURS)
