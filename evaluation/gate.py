"""Measures of a gate that decides whether to retrieve: what it saves, what it must not skip, and what that does to answers.

Retrieval of a question is needless where it cannot help: small talk, sums, what the model knows and no slice holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.intervals import Interval, bootstrap_interval, bootstrap_means, percentile_interval, wilson
from evaluation.macro import equal_size
from evaluation.report import Row, Table
from indexes.errors import InputError

NORMAL_95 = 1.959964
NEVER, ALWAYS, ORACLE = "never retrieve", "always retrieve", "oracle"
SAVED, SAVED_BY_KIND, FALSE_SKIPS, SKIPPED = "needless saved", "kinds weighing the same", "false skips", "all skipped"
RIGHT, BENEFIT, HARM, CALLS_SAVED = "right", "benefit", "harm", "calls saved"

Skips = Mapping[str, Sequence[bool]]
"""Gate name to whether it skips retrieval, for each question."""


@dataclass(frozen=True, slots=True)
class Gated:
    """A question put to a gate.

    Parameters
    ----------
    kind
        What sort of question it is.
    needless
        Whether its retrieval is needless.
    without, with_
        How right the answer is without retrieval and with it, 0 to 1; NaN where it was not answered.
    """

    kind: str
    needless: bool
    without: float = math.nan
    with_: float = math.nan


def decisions(title: str, questions: Sequence[Gated], skips: Skips, *, seed: int = 0) -> Table:
    """How many needless retrievals each gate saves, and how many of the others it skips.

    Rows for never retrieving, always retrieving, and the oracle, which skips exactly the needless, stand beside the gates.

    Raises
    ------
    InputError
        There is no needless question, or no other.
    ValueError
        A gate decided on another number of questions.
    """
    needless = np.array([question.needless for question in questions], dtype=bool)
    if needless.all() or not needless.any():
        raise InputError("A gate is measured on questions of both sorts.", "Give needless ones and others.")
    rows = []
    for name, skipped in _with_references(skips, ~needless).items():
        if len(skipped) != len(questions):
            raise ValueError(f"{name} decided on {len(skipped)} of {len(questions)} questions")
        values = {
            SAVED: share(skipped[needless]),
            SAVED_BY_KIND: _macro(questions, skipped, seed),
            FALSE_SKIPS: share(skipped[~needless]),
            SKIPPED: share(skipped),
        }
        rows.append(Row(name, len(questions), values))
    note = (
        f"{int(needless.sum())} needless questions, {int((~needless).sum())} others. Shares with 95 % Wilson intervals; "
        f"'{SAVED_BY_KIND}' is the mean of the kinds' shares, with a bootstrap interval within the kinds."
    )
    return Table(title, (SAVED, SAVED_BY_KIND, FALSE_SKIPS, SKIPPED), tuple(rows), notes=(note,))


def by_kind(title: str, questions: Sequence[Gated], skips: Skips) -> Table:
    """Share of each kind that each gate skips; kinds of needless questions come first."""
    rows = []
    for kind in sorted({q.kind for q in questions}, key=lambda k: (not _is_needless(questions, k), k)):
        chosen = np.array([question.kind == kind for question in questions])
        name = f"{kind} (needless)" if _is_needless(questions, kind) else kind
        values = {gate: share(np.asarray(skipped, dtype=bool)[chosen]) for gate, skipped in skips.items()}
        rows.append(Row(name, int(chosen.sum()), values))
    return Table(title, tuple(skips), tuple(rows), notes=("Share skipped, with 95 % Wilson interval.",))


def utility(title: str, questions: Sequence[Gated], skips: Skips, *, seed: int = 0) -> Table:
    """What each gate does to answers, over the questions that were answered both with retrieval and without.

    A question's utility is right(with) - right(without) (arXiv 2607.24010). ``benefit`` and ``harm`` are the means of its
    positive and negative part where retrieval was made; the oracle retrieves where it is positive, and only there.
    """
    kept = [i for i, q in enumerate(questions) if not (math.isnan(q.without) or math.isnan(q.with_))]
    if not kept:
        raise InputError("No question was answered both with retrieval and without.", "Answer some both ways.")
    without = np.array([questions[i].without for i in kept])
    gain = np.array([questions[i].with_ for i in kept]) - without
    chosen = {name: [skipped[i] for i in kept] for name, skipped in skips.items()}
    rows = []
    for name, skipped in _with_references(chosen, gain > 0).items():
        made = np.where(skipped, 0.0, gain)
        measured = {
            RIGHT: without + made,
            BENEFIT: np.maximum(made, 0.0),
            HARM: np.maximum(-made, 0.0),
        }
        values = {measure: bootstrap_interval(numbers, seed=seed) for measure, numbers in measured.items()}
        rows.append(Row(name, len(kept), {**values, CALLS_SAVED: share(skipped)}))
    notes = ("Means over the questions, with 95 % bootstrap intervals.",)
    return Table(title, (RIGHT, BENEFIT, HARM, CALLS_SAVED), tuple(rows), notes=notes)


def share(values: Sequence[bool] | NDArray[np.bool_]) -> Interval:
    """Share of true values with its 95 % score interval; see ``evaluation.intervals.wilson``.

    Raises
    ------
    InputError
        There is no value.
    """
    array = np.asarray(values, dtype=bool)
    if not array.size:
        raise InputError("There is nothing to take a share of.", "Measure at least one question.")
    return wilson(float(array.sum()), array.size)


def area(value: float, right: int, wrong: int) -> Interval:
    """An area under the ROC curve with its 95 % interval (Hanley and McNeil 1982, equation 1).

    Parameters
    ----------
    value
        The area.
    right, wrong
        How many of each sort it was measured on.
    """
    same_right, same_wrong = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value)
    spread += (right - 1) * (same_right - value**2) + (wrong - 1) * (same_wrong - value**2)
    half = NORMAL_95 * math.sqrt(spread / (right * wrong))
    return Interval(value, max(0.0, value - half), min(1.0, value + half))


def _with_references(skips: Skips, retrieve: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """The gates between the two that do not decide and the one that knows; ``retrieve`` is where the oracle does."""
    given = {name: np.asarray(skipped, dtype=bool) for name, skipped in skips.items()}
    never, always = np.ones(len(retrieve), dtype=bool), np.zeros(len(retrieve), dtype=bool)
    return {NEVER: never, ALWAYS: always, **given, ORACLE: ~retrieve}


def _macro(questions: Sequence[Gated], skipped: NDArray[np.bool_], seed: int) -> Interval:
    kinds = sorted({question.kind for question in questions if question.needless})
    groups = [
        np.array([s for q, s in zip(questions, skipped, strict=True) if q.needless and q.kind == k], dtype=np.float64)
        for k in kinds
    ]
    generators = np.random.default_rng(seed).spawn(len(groups))
    draws = np.mean([bootstrap_means(g, 10_000, rng) for g, rng in zip(groups, generators, strict=True)], axis=0)
    return percentile_interval(
        float(np.mean([group.mean() for group in groups])), draws, n=equal_size(map(len, groups))
    )


def _is_needless(questions: Sequence[Gated], kind: str) -> bool:
    return any(question.needless for question in questions if question.kind == kind)
