"""The benchmark: systems that give each question a score, on questions that the sources answer and questions they do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.bench.abstention.measure import Measured, Searched, measure, search
from app.bench.abstention.questions import (
    LABELLED,
    SETS,
    Labelled,
    as_typed,
    lacking,
    not_tuned_on,
    read_reference,
    require,
)
from app.bench.retrieval.indexing import index
from app.models.resolve import resolve
from app.wiring import make_panel
from evaluation.abstention import AUROC, abstention_table, auroc, curve
from evaluation.figures.selective import risk_coverage
from evaluation.files import write_json, write_lines
from evaluation.report import Table
from generators.models.language_model import LocalModel
from generators.verdicts.confidence import CONFIDENCE, Confidence
from generators.verdicts.verdict import Signals, Thresholds, hopeless

if TYPE_CHECKING:
    from app.settings import Settings

UN = "mtRAG-UN, last turns, the half not tuned on"
FOUND = "those of them whose evidence was found, and the unanswerable ones"
TYPED = "that half as it was typed"
ALL_TYPED = "mtRAG-UN, all last turns as they were typed"
LACKING = "the answerable turns of the half not tuned on, with their slice and without"
AS_TYPED = (TYPED, ALL_TYPED)
UNDERSTOOD = (
    "A turn is understood in the light of the conversation before it, by rules that were made on the other half of these "
    "conversations; see bench follow-ups."
)
OURS = "Symposia"
RELEVANCE, BM25, ASKED, PHRASE = "relevance alone", "best BM25 score", "asking the model", "the model's refusal"
SYSTEMS = (RELEVANCE, BM25, ASKED, PHRASE, OURS)
OF_MODEL = (ASKED, PHRASE)

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What was measured.

    Parameters
    ----------
    tables
        One for each set of questions.
    files
        Pictures and numbers that were written.
    """

    tables: tuple[Table, ...]
    files: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"tables": [table.to_dict() for table in self.tables], "files": [str(file) for file in self.files]}


def run(
    settings: Settings,
    data: Path,
    out: Path,
    *,
    limit: int | None = None,
    model: bool = True,
    seed: int = 0,
    report: Report,
) -> Outcome:
    """Compare who tells answerable questions from others, and draw the curves into ``out``.

    Follow-ups are understood by rules that were made on half of these conversations; what is understood is of the other half.

    Parameters
    ----------
    data
        Folder with ``beir`` and ``qa``.
    limit
        Questions of each set, at most; the first ones of a random order.
    model
        Whether the language model is asked too; without it two of the systems are left out.
    report
        Called with what is being done, how much of it is, and how much there is.
    """
    home = settings.home / "benchmarks" / "abstention"
    reference = read_reference(data / LABELLED)
    sets = _sets(reference.questions, limit, seed)
    searched = _search(settings, require(data, tuple(SETS.values())), home / "slices", sets, report)
    speaker = language_model(settings) if model else None
    left = ", ".join(f"{count} {label}" for label, count in sorted(reference.left_out.items()))
    notes = (
        f"Left out of all conversations for their label: {left or 'none'}.",
        "The weights of the confidence were fitted on development questions of other sets; see --fit.",
        *([] if speaker is None else [f"Language model: {speaker.name}, {speaker.dtype}."]),
    )
    rows = {
        title: measure(None if title in AS_TYPED else speaker, found, home / "measured.jsonl", partial(report, title))
        for title, found in searched.items()
    }
    un = rows.pop(UN)
    rows = {UN: un, FOUND: [row for row in un if row.found or not row.question.answerable], **rows}
    tables, files = [], []
    for number, (title, measured) in enumerate(rows.items(), start=1):
        right = [row.question.answerable for row in measured]
        names = [name for name in SYSTEMS if (model and title not in AS_TYPED) or name not in OF_MODEL]
        scores = {name: [score(name, row) for row in measured] for name in names}
        said = (*_of_set(title, measured), *notes)
        tables.append(abstention_table(title, right, scores, baseline=RELEVANCE, seed=seed, notes=said))
        files.append(out / f"risk-coverage-{number}.svg")
        _draw(files[-1], title, scores, right)
    write_json(out / "abstention.json", {"tables": [table.to_dict() for table in tables]})
    return Outcome(tuple(tables), (*files, out / "abstention.json"))


def _sets(questions: Sequence[Labelled], limit: int | None, seed: int) -> dict[str, Sequence[Labelled]]:
    own = not_tuned_on(questions)
    return {
        UN: _drawn(own, limit, seed),
        TYPED: as_typed(_drawn(own, limit, seed)),
        ALL_TYPED: as_typed(_drawn(questions, limit, seed)),
        LACKING: _drawn(lacking(own), limit, seed),
    }


def _draw(file: Path, title: str, scores: Mapping[str, Sequence[float]], right: Sequence[bool]) -> None:
    curves = {name: curve(values, right) for name, values in scores.items()}
    write_lines(file, risk_coverage(curves, title, OURS, f"n = {len(right)}; lower is better").splitlines())


def _of_set(title: str, measured: Sequence[Measured]) -> tuple[str, ...]:
    """What must be known of one set alone."""
    if title in AS_TYPED:
        return (_ceiling(measured),)
    return (UNDERSTOOD, _ceiling(measured)) if title == UN else (UNDERSTOOD,)


def _ceiling(rows: Sequence[Measured]) -> str:
    """What a reader could reach that errs on no passage: evidence that was not found cannot be told from none."""
    answerable = [row for row in rows if row.question.answerable]
    found = sum(row.found for row in answerable)
    perfect = auroc([float(row.found) for row in rows], [row.question.answerable for row in rows])
    return (
        f"Of the answerable questions {found} of {len(answerable)} find a relevant passage: knowing exactly for which would "
        f"give an {AUROC} of {perfect:.3f}."
    )


def score(system: str, row: Measured) -> float:
    """What a system gives one question; higher for surer. A question that finds no evidence gets the least."""
    signals = row.signals
    if system == OURS:
        return confidence_score(signals, CONFIDENCE, Thresholds())
    if system == PHRASE:
        return -signals.get("refused", 1.0)
    value = signals.get({RELEVANCE: "relevance", BM25: "bm25", ASKED: "sufficient"}[system], math.nan)
    return -100.0 if math.isnan(value) else value


def confidence_score(signals: Mapping[str, float], confidence: Confidence, thresholds: Thresholds) -> float:
    """The confidence, less 1 where a rule refuses whatever the confidence, so that such questions come last."""
    seen = Signals(True, 1 / (1 + math.exp(-signals["relevance"])), int(signals["unknown names"]))
    refused = hopeless(seen, thresholds) or signals.get("refused", 0.0) > 0
    return confidence.probability(signals) - float(refused)


def language_model(settings: Settings) -> LocalModel:
    """The language model of the settings, held locally."""
    models = settings.models
    return LocalModel(resolve(models.generator, "generator", models.folder), models.dtype, models.threads or None)


def _drawn(questions: Sequence[Labelled], limit: int | None, seed: int) -> list[Labelled]:
    if limit is None or limit >= len(questions):
        return list(questions)
    return [questions[place] for place in np.random.default_rng(seed).permutation(len(questions))[:limit]]


def _search(
    settings: Settings, folders: Sequence[Path], slices: Path, sets: Mapping[str, Sequence[Labelled]], report: Report
) -> dict[str, list[Searched]]:
    """The evidence of each set's questions; the panel is built where there is none, and closed again."""
    panel = make_panel(settings, slices)
    try:
        for folder in folders:
            index(panel, settings, folder, report)
        report("searching", 0, len(sets))
        return {title: search(panel, questions) for title, questions in sets.items()}
    finally:
        panel.close()
