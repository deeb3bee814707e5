"""What the gate did to stored answers, beside the same questions answered without retrieval, and all with it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evaluation.answer_records import Record
from evaluation.answer_scores import right
from evaluation.gate import Gated, utility
from evaluation.report import Table


def gate_table(
    name: str, records: Sequence[Record], never: Sequence[Record], always: Sequence[Record], *, seed: int = 0
) -> Table:
    """Benefit, harm and calls saved of the gate that routed ``records``, with rows for never, always, and an oracle.

    Parameters
    ----------
    name
        The run.
    never, always
        The same questions, answered from memory and with retrieval. One that is missing there is left out.

    Raises
    ------
    InputError
        No question was answered in all three.
    """
    without, with_ = (_outcomes(found) for found in (never, always))
    asked = [record for record in records if record.answer is not None]
    questions = [
        Gated(
            record.question.slice,
            needless=False,  # not judged here: what retrieval is worth is measured
            without=without.get(record.question.id, math.nan),
            with_=with_.get(record.question.id, math.nan),
        )
        for record in asked
    ]
    return utility("Retrieve or not", questions, {name: [not record.retrieved for record in asked]}, seed=seed)


def _outcomes(records: Sequence[Record]) -> dict[str, float]:
    judged = [r for r in records if r.answer is not None and (r.question.answers or not r.question.answerable)]
    return {record.question.id: float(right(record)) for record in judged}
