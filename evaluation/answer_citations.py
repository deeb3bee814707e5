"""Citations of stored answers: against gold passages, and by a judge where there is one.

Definitions are those of ``evaluation.citations``. Every question with gold passages counts: one that was refused or
skipped cites nothing and scores 0. The judge sees only sentences that were written, so it counts answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.answer_records import Record
from evaluation.answer_report import groups
from evaluation.citations import MEASURES, CitationScore, CitedSentence, Judge, alce_score, citation_score
from evaluation.intervals import bootstrap_interval
from evaluation.report import Row, Table


def gold_score(record: Record) -> CitationScore | None:
    """Precision and recall of the passages that an answer cites; ``None`` where the gold names no passage."""
    gold = record.question.passages
    if not gold or not record.question.answerable:
        return None
    return citation_score([_place(record, number, gold) for number in cited(record)], range(len(gold)))


def judged_score(record: Record, judge: Judge) -> CitationScore | None:
    """ALCE's precision and recall of an answer; ``None`` where no sentence was written from sources."""
    claims = record.answer["claims"] if record.answer is not None and record.retrieved and record.answered else ()
    if not claims:
        return None
    passages = _passages(record)
    return alce_score([_sentence(claim, passages) for claim in claims], judge)


def cited(record: Record) -> list[int]:
    """Numbers of the evidence that a sentence or a side of a conflict cites, ascending."""
    if record.answer is None or not record.answered:
        return []
    sides = (record.answer.get("conflict") or {"sides": []})["sides"]
    return sorted({citation["number"] for part in (*record.answer["claims"], *sides) for citation in part["citations"]})


def citations_table(
    records: Sequence[Record], judge: Judge | None = None, judge_name: str = "", *, seed: int = 0
) -> Table | None:
    """Precision, recall and F1 for each slice; ``None`` where no question has gold passages and there is no judge."""
    rows = []
    for name, members in groups(records).items():
        found = [score for score in map(gold_score, members) if score is not None]
        rows += [_row(f"{name}, gold passages", found, seed)] if found else []
        judged = [] if judge is None else [s for s in (judged_score(each, judge) for each in members) if s is not None]
        rows += [_row(f"{name}, ALCE", judged, seed)] if judged else []
    if not rows:
        return None
    notes = ["Against gold passages: share of an answer's citations that are gold, share of the gold cited; none: 0."]
    if judge is not None:
        notes.append(
            f"ALCE's definition, with {judge_name} for a judge, over the answers that were written from sources."
        )
    return Table("Citations", MEASURES, tuple(rows), notes=tuple(notes))


def _row(name: str, scores: Sequence[CitationScore], seed: int) -> Row:
    columns = np.array([[score.precision, score.recall, score.f1] for score in scores]).T
    means = {m: bootstrap_interval(column, seed=seed) for m, column in zip(MEASURES, columns, strict=True)}
    return Row(name, len(scores), means)


def _place(record: Record, number: int, gold: Sequence[str]) -> int:
    """Which gold passage a piece of evidence is; a number of its own below 0 where it is none."""
    places = {item["number"]: keys for item, keys in zip(record.evidence, record.keys, strict=True)}
    keys = places.get(number, frozenset())
    return next((place for place, key in enumerate(gold) if key in keys), -number)


def _passages(record: Record) -> dict[int, str]:
    passages = {item["number"]: item["passage"] for item in record.evidence}
    return {number: f"{p.get('title', '')}\n{p['text']}".strip() for number, p in passages.items()}


def _sentence(claim: Mapping[str, Any], passages: Mapping[int, str]) -> CitedSentence:
    numbers = dict.fromkeys(citation["number"] for citation in claim["citations"])
    return CitedSentence(claim["text"], tuple(passages[number] for number in numbers if number in passages))
