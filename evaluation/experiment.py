"""Evaluate runs on a BEIR set and keep everything that the numbers rest on.

The folder that is written holds, for each run, ``<run>.trec``; ``per_question.jsonl`` with each question's scores;
``metrics.json`` with the table; and ``manifest.json`` with what produced it. No model is loaded: stored runs do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from evaluation.beir import BeirSet
from evaluation.comparison import compare
from evaluation.files import write_json, write_lines
from evaluation.manifest import manifest
from evaluation.metrics import DEFAULT_MEASURES, Scores, score_run
from evaluation.report import Table
from evaluation.routing import FILE as ROUTING
from evaluation.routing import Routed, write_routing
from evaluation.runs import Run
from indexes.errors import InputError


def evaluate_runs(
    beir_set: BeirSet,
    runs: Sequence[Run],
    out_folder: str | Path,
    *,
    baseline: str = "",
    measures: Sequence[str] = DEFAULT_MEASURES,
    seed: int = 0,
    resamples: int = 10_000,
    record: Mapping[str, object] | None = None,
    costs: Mapping[str, Mapping[str, float]] | None = None,
    routing: Mapping[str, Sequence[Routed]] | None = None,
) -> Table:
    """Score ``runs`` over all judged questions, compare them with the baseline, and write the files.

    Parameters
    ----------
    runs
        At least one, with different names.
    out_folder
        Made where absent. Files of the same names are replaced, each whole or not at all.
    baseline
        Name of the run that the others are tested against; by default the first.
    record
        Added to the manifest, over what stands there: model fingerprints, settings, command.
    costs
        Run name to kind of cost (``experts asked``, ``CPU ms``) to its mean for a question.
    routing
        Run name to how each question was routed, written to ``routing.jsonl``.

    Raises
    ------
    InputError
        For no run, two runs of one name, a run for another set, an unknown measure or baseline, or files that cannot
        be written.
    """
    started = datetime.now(UTC)
    files = _file_names(runs)
    scored = {run.name: score_run(run, beir_set.qrels, measures) for run in runs}
    notes = [note for run in runs for note in _coverage(run, beir_set)]
    table = compare(
        f"{beir_set.name}, {beir_set.split} split",
        {name: scores.values for name, scores in scored.items()},
        baseline=baseline,
        seed=seed,
        resamples=resamples,
        notes=notes,
    )
    table = replace(table, rows=tuple(replace(row, cost=(costs or {}).get(row.name, {})) for row in table.rows))
    out = Path(out_folder)
    for run in runs:
        run.write(out / files[run.name])
    write_lines(out / "per_question.jsonl", _per_question(runs, scored))
    write_json(out / "metrics.json", table.to_dict())
    if routing:
        write_routing(out / ROUTING, routing)
    data = {"name": beir_set.name, "split": beir_set.split, "sha256": beir_set.fingerprint, "n": len(beir_set.qrels)}
    described = manifest(seeds={"statistics": seed}, started=started, data=data)
    write_json(out / "manifest.json", {**described, **(record or {})})
    return table


def _file_names(runs: Sequence[Run]) -> dict[str, str]:
    if not runs:
        raise InputError("There is no run to evaluate.", "Name at least one run.")
    files = {run.name: re.sub(r"[^\w.+-]+", "_", run.name) + ".trec" for run in runs}
    if len(set(files.values())) != len(runs):
        raise InputError(
            f"Two runs have the same name, or names that give the same file: {', '.join(run.name for run in runs)}.",
            "Give each run a name of its own.",
        )
    return files


def _coverage(run: Run, beir_set: BeirSet) -> list[str]:
    """Notes on questions that the run lacks or has too many of."""
    answered = [question for question in beir_set.qrels if run.results.get(question)]
    extra = [question for question in run.results if question not in beir_set.qrels]
    if extra and not answered:
        raise InputError(
            f"Run {run.name} has no results for any of the {len(beir_set.qrels)} questions judged in {beir_set.name}, "
            f"{beir_set.split} split; its first question is {extra[0]!r}.",
            "Evaluate it on the set and split that it was made for.",
        )
    notes = []
    if len(answered) < len(beir_set.qrels):
        absent = len(beir_set.qrels) - len(answered)
        notes.append(f"{run.name}: {absent} of {len(beir_set.qrels)} judged questions have no results and score 0.")
    if extra:
        notes.append(f"{run.name}: {len(extra)} questions of the run are not judged in this split and are ignored.")
    return notes


def _per_question(runs: Sequence[Run], scored: Mapping[str, Scores]) -> Iterator[str]:
    for run in runs:
        scores = scored[run.name]
        for position, question in enumerate(scores.questions):
            yield json.dumps(
                {
                    "run": run.name,
                    "question": question,
                    "results": len(run.results.get(question, ())),
                    **{measure: float(values[position]) for measure, values in scores.values.items()},
                },
                ensure_ascii=False,
            )
