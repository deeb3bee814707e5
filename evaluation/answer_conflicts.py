"""Whether stored answers say that sources disagree where they do, as far as the gold says where that is."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.answer_records import Record
from evaluation.answer_report import groups
from evaluation.report import Row, Table
from evaluation.source_conflicts import detection

MEASURES = ("precision", "recall", "F1")


def says_conflict(record: Record) -> bool:
    """Whether the answer shows two sides."""
    return record.answered and record.answer is not None and record.answer.get("conflict") is not None


def conflicts_table(records: Sequence[Record], *, seed: int = 0) -> Table | None:
    """Precision, recall and F1 for each slice that has a conflict; ``None`` where no question is known to have one."""
    rows = []
    for name, members in groups([record for record in records if record.question.conflict is not None]).items():
        true = [bool(record.question.conflict) for record in members]
        if any(true):
            rows.append(Row(name, len(members), detection([says_conflict(each) for each in members], true, seed=seed)))
    if not rows:
        return None
    notes = (
        "Of saying that sources disagree; 95 % bootstrap percentile intervals. One that was not asked says nothing.",
    )
    return Table("Conflicts between sources", MEASURES, tuple(rows), notes=notes)
