"""Citations beside one another: ours, marks that the model prints, and embedding similarity; same texts, same passages.

What is attributed: the model's own answers, all of them and those that hold a gold answer; the answers that it writes when it
is asked for marks, likewise; and right answers given as text ("statements"): question and gold answer of HotpotQA, written
references of MTRAG. Records are kept in a file for each set, so that a run that was stopped goes on where it was. What is
tested, in every table, is the difference from embedding similarity.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from app.bench.citations.contexts import Cited, Corpus, contexts, gold_answers, sample
from app.bench.citations.records import record_answer, record_text, resumed
from app.bench.citations.similarity import CUTS, similar
from app.bench.identity import identity
from app.models.resolve import resolve
from evaluation.answers import contains
from evaluation.beir import BeirSet
from evaluation.citations import compare_citations
from evaluation.files import json_lines
from evaluation.kept import Record
from generators.citations.pair_model import COLUMNS, fitted
from generators.citations.pairs import Encode
from generators.models.language_model import LocalModel
from indexes.encoders.open import open_encoder
from indexes.errors import InputError

if TYPE_CHECKING:
    from app.settings import Settings
    from evaluation.report import Table

OURS, LEAN, WORDS = "ours", "ours, no language model", "ours, words only"
MARKS, ASKED, COSINE = "printed marks", "asked afterwards", "cosine"
HOTPOT, MTRAG, REFERENCES = "hotpotqa-1000", "mtrag-cloud", "mtrag-cloud references"
SIZES: Mapping[str, int] = {HOTPOT: 120, MTRAG: 60, REFERENCES: 81}

Progress = Callable[[str], None]
Kind = Literal["answer", "marked", "statement"]

MARKED_NOTE = (
    "The texts are those that the model wrote when it was asked for marks, cited here without them: not the texts of the other "
    "tables."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Parameters
    ----------
    limit
        Questions of each set, at most; 0 for the number that each has in ``SIZES``.
    minutes
        After so many, nothing more is measured, and the tables hold what there is.
    without_model
        Measure only what needs no language model: statements, by words and cosines.
    """

    limit: int = 0
    seed: int = 0
    minutes: float = 60.0
    without_model: bool = False


def run(settings: Settings, data: Path, folder: Path, plan: Plan, on_progress: Progress) -> list[Table]:
    """Measure, or go on measuring, and give one table for each set and kind of text.

    Parameters
    ----------
    data
        The folder that holds ``beir`` and ``qa``.
    folder
        Where records are kept.
    """
    until = time.monotonic() + 60 * plan.minutes
    encode = remembering(encoder(settings))
    model = None if plan.without_model else language_model(settings)
    depends = models_of(settings, model, COLUMNS)
    tables = []
    for name, size in SIZES.items():
        on_progress(f"{name}: passages")
        items = read(name, data, folder, encode, plan.limit or size, plan.seed)
        prefix = "words" if model is None else model.name
        file = folder / f"{name.replace(' ', '-')}-{prefix}-seed{plan.seed}.jsonl"
        pairs = []
        for item, record in resumed(items, file, _measure(name, model, encode), until, depends):
            pairs.append((item, record))
            on_progress(f"{name}: {len(pairs)} of {len(items)} questions")
        tables += _tables(name, prefix, pairs, plan.seed)
    return tables


def _measure(name: str, model: LocalModel | None, encode: Encode) -> Callable[[Cited], Record]:
    def measured(item: Cited) -> Record:
        if model is not None and name != REFERENCES:
            return record_answer(item, model, encode)
        return {"statement": record_text(item, item.statement, model, encode)} if item.statement else {}

    return measured


def read(name: str, data: Path, kept: Path, encode: Encode, limit: int, seed: int) -> list[Cited]:
    """Draw the questions of one set with their passages; ``hotpotqa-1000 train`` gives those to fit on.

    Parameters
    ----------
    kept
        Folder in which the choice of passages is kept.
    """
    kept.mkdir(parents=True, exist_ok=True)
    folder = data / "beir" / name.split(maxsplit=1)[0]
    if name == REFERENCES:
        questions = BeirSet.read(folder, "un", queries_file="queries_un.jsonl")
        statements = _references(data / "qa" / "mtrag-un-dev" / "reference.jsonl")
    else:
        questions, statements = BeirSet.read(folder, "train" if name.endswith("train") else "test"), {}
    answers = gold_answers(folder / "answers.jsonl") if name.startswith(HOTPOT) else {}
    usable = [identifier for identifier in questions.qrels if name != REFERENCES or identifier in statements]
    drawn = sample(usable, limit, seed)
    corpus, file = Corpus(folder / "corpus.jsonl"), kept / f"passages-{name.replace(' ', '-')}-seed{seed}.jsonl"
    items = []
    for identifier, evidence, gold in contexts(questions, corpus, encode, drawn, seed=seed, file=file):
        question, known = questions.queries[identifier], answers.get(identifier, ())
        said = f"{question.strip().rstrip('?')}: {known[0]}." if known else statements.get(identifier, "")
        items.append(Cited(identifier, question, evidence, gold, known, said))
    return items


def _references(path: Path) -> dict[str, str]:
    found = {}
    for _, record in json_lines(path):
        if record["answerability"] == ["ANSWERABLE"] and record["Collection"] == "ibmcloud":
            found[str(record["task_id"])] = str(record["targets"][0]["text"]).strip()
    return found


def _tables(name: str, prefix: str, pairs: Sequence[tuple[Cited, Record]], seed: int) -> list[Table]:
    views: list[tuple[str, Kind, bool]] = [
        ("the model's answers", "answer", False),
        ("answers that hold the gold answer", "answer", True),
        ("answers written with marks", "marked", False),
        ("answers with marks that hold the gold answer", "marked", True),
        ("right answers given as text", "statement", False),
    ]
    tables = []
    for title, kind, right in views:
        kept = [(item, record[kind]) for item, record in pairs if kind in record]
        chosen = [(item, found) for item, found in kept if not right or _right(item, found)]
        if chosen:
            tables.append(_table(f"{name}, {prefix}: {title}", chosen, seed))
    return tables


def _table(title: str, kept: Sequence[tuple[Cited, Mapping[str, Any]]], seed: int) -> Table:
    gold = [item.gold for item, _ in kept]
    columns = {OURS: "full", LEAN: "lean", WORDS: "words", MARKS: "marks", ASKED: "asked"}
    systems = {
        system: [record[column] for _, record in kept]
        for system, column in columns.items()
        if all(column in record for _, record in kept)
    }
    systems[COSINE] = [similar(record["cosines"]) for _, record in kept]
    notes = [f"cosine: up to {CUTS.most} passages within {CUTS.lag} of the nearest, tuned on training questions."]
    if MARKS in systems:
        notes.append(MARKED_NOTE)
    if OURS in systems and all("full seconds" in record for _, record in kept):
        median = float(np.median([record["full seconds"] for _, record in kept]))
        notes.append(f"Ours took {median:.1f} s an answer (median), {len(kept[0][0].evidence)} passages.")
    return compare_citations(title, systems, gold, baseline=COSINE, seed=seed, notes=notes)


def _right(item: Cited, found: Mapping[str, Any]) -> bool:
    return bool(item.answers) and contains(found["text"], item.answers) > 0


def models_of(settings: Settings, model: LocalModel | None, pairs: Iterable[str]) -> list[str]:
    """What identifies the models that a record depends on.

    Parameters
    ----------
    pairs
        Names of the fitted models of pairs among them.
    """
    encodes = [Path(settings.models.encoder).name, settings.models.runtime]
    return [*(() if model is None else identity(model)), *encodes, *(repr(fitted(name)) for name in pairs)]


def language_model(settings: Settings) -> LocalModel:
    """The language model that the settings name."""
    models = settings.models
    return LocalModel(resolve(models.generator, "generator", models.folder), models.dtype, models.threads or None)


def encoder(settings: Settings) -> Encode:
    """What makes vectors of passages with the settings' encoder."""
    models = settings.models
    folder, name = resolve(models.encoder, "encoder", models.folder), Path(models.encoder).name
    return open_encoder(folder, name, models.runtime, models.folder, models.threads).encode_passages


def remembering(encode: Encode) -> Encode:
    """``encode`` that encodes no text twice."""
    known: dict[str, Any] = {}

    def remembered(texts: Sequence[str]) -> Any:  # noqa: ANN401 (an array)
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, encode(new), strict=True))
        if not texts:
            raise InputError("There is no text to encode.", "Give at least one.")
        return np.stack([known[text] for text in texts])

    return remembered
