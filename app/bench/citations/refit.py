"""``symposia bench citations --fit``: everything about citations that is fitted, from HotpotQA's training questions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from app.bench.citations.contexts import Cited
from app.bench.citations.fit import Labelled, fit_cheap, fit_with_threshold
from app.bench.citations.records import NOT_MEASURED, record_contrasts, record_text, resumed
from app.bench.citations.run import HOTPOT, encoder, language_model, models_of, read, remembering
from app.bench.citations.similarity import Cuts, tune
from evaluation.kept import Record
from generators.citations.pair_model import COLUMNS, COSINES, DOUBTED, HOLD, WORDS, PairModel, fit, write_models
from generators.citations.pairs import Encode
from indexes.errors import InputError

if TYPE_CHECKING:
    from app.settings import Settings

QUESTIONS, CONTRASTED = 200, 100
LEAST = 30  # passages; a model of five numbers is not fitted on fewer


def refit(
    settings: Settings, data: Path, folder: Path, to: Path, *, minutes: float, on_progress: Callable[[str], None]
) -> tuple[Mapping[str, PairModel], Cuts]:
    """Fit the four models, write them to ``to``, and tune the baseline of similarity.

    The contrasts are measured by the language model that the settings name, for at most ``minutes``; another call goes
    on from there, unless words and cosines have come to choose other finalists.
    """
    encode = remembering(encoder(settings))
    on_progress("training questions")
    items = read(f"{HOTPOT} train", data, folder, encode, QUESTIONS, 0)
    cheap = fit_cheap(items, encode)
    on_progress(f"words and cosines: {len(items)} questions")
    model, until = language_model(settings), time.monotonic() + 60 * minutes
    file, records = folder / f"contrasts-{model.name}.jsonl", list[Record]()
    depends = models_of(settings, model, (WORDS, COSINES))  # not those of contrasts, which each call fits again
    measured = partial(record_contrasts, model=model, encode=encode)
    for _, record in resumed(items[:CONTRASTED], file, measured, until, depends):
        records.append(record)
        on_progress(f"contrasts: {len(records)} of {CONTRASTED} questions")
    models = {**cheap, **fit_contrasts(records)}
    write_models(to, {name: models[name] for name in COLUMNS})
    return models, _cuts(items, encode)


def fit_contrasts(records: Sequence[Record]) -> dict[str, PairModel]:
    """The models that correct the log-odds of words and cosines.

    Raises
    ------
    InputError
        Too few finalists were measured, or none of them is wrong.
    """
    rows: list[Labelled] = []
    for number, record in enumerate(records):
        matrix = np.array(record["contrasts"], dtype=np.float32)
        rows.append((number, matrix, np.array(record["right"], dtype=bool)))
    count = len(COLUMNS[HOLD])
    held = fit_with_threshold([(number, matrix[:, :count], right) for number, matrix, right in rows], COLUMNS[HOLD])
    left_out = COLUMNS[DOUBTED].index("drop")
    known = [matrix[:, left_out] > NOT_MEASURED for _, matrix, _ in rows]
    dropped = [(matrix[mask], right[mask]) for mask, (_, matrix, right) in zip(known, rows, strict=True)]
    labels = np.concatenate([right for _, right in dropped])
    if len(labels) < LEAST or labels.all() or not labels.any():
        raise InputError(
            f"Only {len(labels)} passages were left out one by one, of which {labels.sum()} are right.",
            "Give more --minutes.",
        )
    exact = fit([matrix for matrix, _ in dropped], [right for _, right in dropped], COLUMNS[DOUBTED])
    return {HOLD: held, DOUBTED: replace(exact, threshold=held.threshold)}


def _cuts(items: Sequence[Cited], encode: Encode) -> Cuts:
    cosines = [record_text(item, item.statement, None, encode)["cosines"] for item in items]
    return tune(cosines, [item.gold for item in items])
