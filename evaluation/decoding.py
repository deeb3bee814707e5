"""Compare ways of decoding on questions whose context contradicts what a model may remember.

The set is NQ-Swap (Longpre et al., "Entity-Based Knowledge Conflicts in Question Answering", EMNLP 2021): passages of
Natural Questions in which the answer was replaced by another entity. The right answer is the one that the context
gives. This room runs no model: it is handed one function for each policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.answers import contains, exact_match, token_f1
from evaluation.comparison import compare
from evaluation.intervals import Interval, quartiles
from evaluation.report import Row, Table
from indexes.errors import InputError

QUALITY = ("EM", "contains", "F1", "memory")
TIMING = ("s/token", "x baseline")

_FIELDS = ("question", "sub_context", "sub_answer", "org_context", "org_answer")


@dataclass(frozen=True, slots=True)
class ContextQuestion:
    """A question, a context that gives one answer to it, and what it was before the context was changed.

    Parameters
    ----------
    id
        The row's position in its file.
    context
        The passage with the substituted answer, markup as in the source.
    gold
        The substituted answers: right, given the context.
    original_context, original_gold
        The passage and the answers before the substitution: what a model may remember.
    """

    id: str
    question: str
    context: str
    gold: tuple[str, ...]
    original_context: str
    original_gold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """An answer with the number of tokens decoded for it and the seconds that they took."""

    text: str
    tokens: int
    seconds: float


AnswerFunction = Callable[[ContextQuestion], str | TimedAnswer]


def load_nq_swap(path: str | Path, n: int = 200, *, seed: int = 0) -> list[ContextQuestion]:
    """Draw ``n`` different questions, with one of each question's rows.

    The file has several rows for most questions; one row each keeps the items independent, as intervals and tests
    assume. For a given seed a smaller sample is the beginning of a larger one.

    Parameters
    ----------
    path
        The parquet file, or the folder that holds ``dev.parquet``. Reading it needs pyarrow.

    Raises
    ------
    InputError
        Where the file is missing or has other columns, pyarrow is not installed, or ``n`` is out of range.
    """
    rows = _read_rows(Path(path))
    by_question: dict[str, list[int]] = {}
    for position, row in enumerate(rows):
        by_question.setdefault(row["question"], []).append(position)
    questions = list(by_question)
    if not 1 <= n <= len(questions):
        raise InputError(
            f"{n} questions were asked for; {path} has {len(questions)} different ones.",
            f"Choose a number from 1 to {len(questions)}.",
        )
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(questions))
    chosen = (by_question[questions[index]] for index in order)
    return [_item(rows, positions[int(generator.integers(len(positions)))]) for positions in islice(chosen, n)]


def compare_policies(
    items: Sequence[ContextQuestion],
    policies: Mapping[str, AnswerFunction],
    *,
    baseline: str = "",
    title: str = "Decoding where the context contradicts memory",
    seed: int = 0,
    resamples: int = 10_000,
    on_answer: Callable[[dict[str, Any]], None] | None = None,
) -> Table:
    """Let every policy answer every item, and compare them in one run.

    The policies take turns on each item, in an order drawn for it, so that a machine that grows slower or a cache
    that grows warm favours none.

    Parameters
    ----------
    policies
        Name to a function that gives the answer's text, or a ``TimedAnswer``.
    baseline
        Whom the others are compared with; by default the first policy.
    on_answer
        Called with a plain dict after each answer: item, policy, answer, measures, tokens, seconds.

    Returns
    -------
    Table
        ``EM``, ``contains`` and ``F1`` against the context's answer; ``memory``, the share of answers that contain the
        original one instead; and where answers come with tokens and seconds, the seconds for each token and their ratio
        to the baseline on the same item, both as median with quartiles.

    Raises
    ------
    InputError
        For no items, no policies, or an unknown baseline.
    """
    if not items:
        raise InputError("There are no questions to decode.", "Draw a sample of at least one.")
    scores = {name: {measure: np.zeros(len(items)) for measure in QUALITY} for name in policies}
    pace = {name: np.full(len(items), np.nan) for name in policies}
    for position, name, answer in _answers(items, policies, seed):
        item = items[position]
        measured = _measured(answer, item)
        for measure, value in measured.items():
            scores[name][measure][position] = value
        if answer.tokens > 0:
            pace[name][position] = answer.seconds / answer.tokens
        if on_answer is not None:
            on_answer({"item": item.id, "policy": name, **_plain(answer), **measured})
    table = compare(title, scores, baseline=baseline, seed=seed, resamples=resamples)
    return _with_pace(table, pace, baseline or next(iter(policies)))


def _answers(
    items: Sequence[ContextQuestion], policies: Mapping[str, AnswerFunction], seed: int
) -> Iterator[tuple[int, str, TimedAnswer]]:
    generator = np.random.default_rng(seed)
    names = list(policies)
    for position, item in enumerate(items):
        for index in generator.permutation(len(names)):
            answer = policies[names[index]](item)
            yield position, names[index], answer if isinstance(answer, TimedAnswer) else TimedAnswer(answer, 0, 0.0)


def _measured(answer: TimedAnswer, item: ContextQuestion) -> dict[str, float]:
    right = contains(answer.text, item.gold)
    return {
        "EM": exact_match(answer.text, item.gold),
        "contains": right,
        "F1": token_f1(answer.text, item.gold),
        "memory": 0.0 if right else contains(answer.text, item.original_gold),
    }


def _plain(answer: TimedAnswer) -> dict[str, Any]:
    return {"answer": answer.text, "tokens": answer.tokens, "seconds": answer.seconds}


def _with_pace(table: Table, pace: Mapping[str, np.ndarray], baseline: str) -> Table:
    timed = {name: _pace_values(values, pace[baseline]) for name, values in pace.items()}
    if not any(timed.values()):
        return table
    rows = tuple(Row(row.name, row.n, {**row.values, **timed[row.name]}, row.p) for row in table.rows)
    note = "s/token and its ratio to the baseline on the same question: median with quartiles, not a mean."
    return replace(table, measures=(*table.measures, *TIMING), rows=rows, notes=(*table.notes, note))


def _pace_values(values: np.ndarray, reference: np.ndarray) -> dict[str, Interval]:
    known = values[np.isfinite(values)]
    both = np.isfinite(values) & (reference > 0)
    ratios = values[both] / reference[both]
    found = {"s/token": known, "x baseline": ratios}
    return {measure: quartiles(numbers) for measure, numbers in found.items() if numbers.size}


def _read_rows(path: Path) -> list[dict[str, Any]]:
    file = path / "dev.parquet" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"There is no file {file}.", "Name NQ-Swap's dev.parquet or the folder that holds it.")
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError("Reading parquet needs pyarrow.", "Install it: pip install pyarrow") from error
    try:
        return list(parquet.read_table(file, columns=list(_FIELDS)).select(_FIELDS).to_pylist())
    except (pyarrow.ArrowException, KeyError) as error:
        raise InputError(
            f"{file} cannot be read: {error}.", f"It must be parquet with: {', '.join(_FIELDS)}."
        ) from error


def _item(rows: Sequence[Mapping[str, Any]], position: int) -> ContextQuestion:
    row = rows[position]
    return ContextQuestion(
        id=str(position),
        question=row["question"],
        context=row["sub_context"],
        gold=tuple(row["sub_answer"]),
        original_context=row["org_context"],
        original_gold=tuple(row["org_answer"]),
    )
