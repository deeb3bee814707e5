"""Questions with a context, in three slices: the context is right against memory, right with it, or wrong.

The first two are NQ-Swap (Longpre et al., "Entity-Based Knowledge Conflicts in Question Answering", EMNLP 2021):
passages of Natural Questions in which the answer was replaced by another entity, and the same passages as they were.
In the third the model knows the answer, and its context is either such a changed passage or a related one that does not
hold the answer; what the model knows, and which passages are related, is decided by functions that are handed in.

Questions fall into two parts that share none: ``tune``, to choose a policy on, and ``report``, to measure it on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from evaluation.answers import contains, normalise
from evaluation.files import json_lines, malformed
from indexes.errors import InputError

Kind = Literal["swapped", "original", "misleading", "distractor"]
Part = Literal["tune", "report"]

TUNE_EVERY = 5
"""One question of so many is for tuning."""

_FIELDS = ("question", "sub_context", "sub_answer", "org_context", "org_answer")


@dataclass(frozen=True, slots=True)
class ContextQuestion:
    """A question with a context.

    Parameters
    ----------
    id
        Different for each pair of question and context, over all slices.
    context
        The passage, markup as in the source.
    gold
        Right answers: those of the context where it is ``swapped`` or ``original``, else the true ones.
    rival
        Answers of the side that is wrong here: the true ones where the context is ``swapped``, the context's where it is
        ``misleading``; else none is known.
    kind
        ``swapped`` and ``original`` contexts are to be followed, ``misleading`` ones and ``distractor`` passages not.
    """

    id: str
    question: str
    context: str
    gold: tuple[str, ...]
    rival: tuple[str, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question without context, with its right answers."""

    id: str
    question: str
    gold: tuple[str, ...]


Knows = Callable[[Sequence[OpenQuestion]], Sequence[bool]]
"""Whether a model answers each of some questions rightly without any context."""

Search = Callable[[str], Sequence[str]]
"""Passages that are related to a question, best first."""


def part_of(question: str) -> Part:
    """Part that a question belongs to, whatever set it stands in and however it is punctuated."""
    digest = hashlib.sha256(normalise(question).encode()).digest()
    return "tune" if int.from_bytes(digest[:8]) % TUNE_EVERY == 0 else "report"


def load_swapped(
    path: str | Path, n: int, *, part: Part = "report", seed: int = 0
) -> tuple[list[ContextQuestion], list[ContextQuestion]]:
    """Draw ``n`` different questions: once with the changed context, once with the original one.

    NQ-Swap has several rows for most questions; one row each keeps the items independent, as intervals and tests
    assume. Rows whose changed context still holds an original answer are left out. For a given seed a smaller sample is
    the beginning of a larger one.

    Parameters
    ----------
    path
        The parquet file, or the folder that holds ``dev.parquet``. Reading it needs pyarrow.

    Raises
    ------
    InputError
        Where the file is missing or has other columns, pyarrow is not installed, or ``n`` is out of range.
    """
    drawn = _drawn_swaps(_read_swaps(Path(path)), part, seed)
    if not 1 <= n <= len(drawn):
        raise InputError(
            f"{n} questions were asked for; {path} has {len(drawn)} for the part '{part}'.",
            f"Choose a number from 1 to {len(drawn)}.",
        )
    chosen = drawn[:n]
    return [_item(row, "swapped") for row in chosen], [_item(row, "original") for row in chosen]


def load_misled(
    swaps: str | Path,
    open_questions: Sequence[str | Path],
    *,
    knows: Knows,
    search: Search,
    n: int | None = None,
    part: Part = "report",
    seed: int = 0,
    batch: int = 32,
) -> list[ContextQuestion]:
    """Questions that the model knows, with a context that is wrong: gold is the true answer.

    First those of NQ-Swap with their changed passage (``misleading``), then the others with the first of the related
    passages that holds none of their answers (``distractor``; a question without one is left out), each file in an order
    drawn from the seed.

    Parameters
    ----------
    swaps
        As for ``load_swapped``.
    open_questions
        JSON lines with ``question`` and ``answer`` or ``golden_answers``, in the order in which they fill the slice. Their
        answers are added to those of the same questions in NQ-Swap.
    knows
        Called with up to ``batch`` questions at a time, in order, until ``n`` are found.
    search
        Asked only about questions that the model knows.
    n
        How many, at most; a small model may know fewer. By default all.

    Raises
    ------
    InputError
        Where a file is missing or malformed.
    """
    files = [_read_open(Path(file)) for file in open_questions]
    rows = _drawn_swaps(_read_swaps(Path(swaps)), part, seed)
    return list(islice(_misled(rows, files, knows, search, part, seed, batch), n))


def _misled(
    rows: Sequence[Mapping[str, Any]],
    files: Sequence[Sequence[OpenQuestion]],
    knows: Knows,
    search: Search,
    part: Part,
    seed: int,
    batch: int,
) -> Iterator[ContextQuestion]:
    answers: dict[str, tuple[str, ...]] = {}
    for each in (question for file in files for question in file):
        answers.setdefault(normalise(each.question), each.gold)
    swaps = {}
    for row in rows:
        gold = tuple(dict.fromkeys((*row["org_answer"], *answers.get(normalise(row["question"]), ()))))
        if not contains(row["sub_context"], gold):
            swaps[f"misleading:{row['row']}"] = (OpenQuestion(f"misleading:{row['row']}", row["question"], gold), row)
    for known in _known((question for question, _ in swaps.values()), knows, batch):
        row = swaps[known.id][1]
        yield ContextQuestion(
            known.id, known.question, row["sub_context"], known.gold, tuple(row["sub_answer"]), "misleading"
        )
    taken = {normalise(question.question) for question, _ in swaps.values()}
    for file in files:
        others = _others(file, taken, part, seed)
        for known in _known(others, knows, batch):
            passage = next((text for text in search(known.question) if not contains(text, known.gold)), None)
            if passage is not None:
                yield ContextQuestion(known.id, known.question, passage, known.gold, (), "distractor")


def _others(file: Sequence[OpenQuestion], taken: set[str], part: Part, seed: int) -> Iterator[OpenQuestion]:
    """Questions of the part that were not taken yet, in the seed's order; each is taken."""
    for index in np.random.default_rng(seed).permutation(len(file)):
        question = file[int(index)]
        key = normalise(question.question)
        if key not in taken and part_of(question.question) == part:
            taken.add(key)
            yield question


def _known(questions: Iterable[OpenQuestion], knows: Knows, batch: int) -> Iterator[OpenQuestion]:
    rest = iter(questions)
    while group := list(islice(rest, batch)):
        for question, known in zip(group, knows(group), strict=True):
            if known:
                yield question


def _drawn_swaps(rows: Sequence[dict[str, Any]], part: Part, seed: int) -> list[dict[str, Any]]:
    """One clean row for each question of the part, in the seed's order."""
    by_question: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if part_of(row["question"]) == part and not contains(row["sub_context"], row["org_answer"]):
            by_question.setdefault(normalise(row["question"]), []).append(row)
    groups, generator = list(by_question.values()), np.random.default_rng(seed)
    order = generator.permutation(len(groups))
    return [groups[index][int(generator.integers(len(groups[index])))] for index in order]


def _item(row: Mapping[str, Any], kind: Literal["swapped", "original"]) -> ContextQuestion:
    swapped, original = tuple(row["sub_answer"]), tuple(row["org_answer"])
    name, question = f"{kind}:{row['row']}", row["question"]
    if kind == "swapped":
        return ContextQuestion(name, question, row["sub_context"], swapped, original, kind)
    return ContextQuestion(name, question, row["org_context"], original, (), kind)


def _read_swaps(path: Path) -> list[dict[str, Any]]:
    """Rows with their position as ``row``."""
    file = path / "dev.parquet" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"There is no file {file}.", "Name NQ-Swap's dev.parquet or the folder that holds it.")
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError("Reading parquet needs pyarrow.", "Install it: pip install pyarrow") from error
    try:
        rows = parquet.read_table(file, columns=list(_FIELDS)).select(_FIELDS).to_pylist()
    except (pyarrow.ArrowException, KeyError) as error:
        raise InputError(
            f"{file} cannot be read: {error}.", f"It must be parquet with: {', '.join(_FIELDS)}."
        ) from error
    return [{**row, "row": position} for position, row in enumerate(rows)]


def _read_open(path: Path) -> list[OpenQuestion]:
    if not path.is_file():
        raise InputError(f"There is no file {path}.", "Name a file of questions with their answers, one JSON a line.")
    name = f"{path.parent.name}/{path.stem}"
    return [OpenQuestion(f"{name}:{number}", *_question(record, path, number)) for number, record in json_lines(path)]


def _question(record: Mapping[str, Any], path: Path, number: int) -> tuple[str, tuple[str, ...]]:
    question, gold = record.get("question"), record.get("answer", record.get("golden_answers"))
    if not (isinstance(question, str) and question.strip()):
        raise malformed(path, number, "has no question", "Give it 'question', a text.")
    if not (isinstance(gold, list) and gold and all(isinstance(each, str) for each in gold)):
        raise malformed(path, number, "has no answers", "Give it 'answer' or 'golden_answers', a list of texts.")
    return question.strip(), tuple(gold)
