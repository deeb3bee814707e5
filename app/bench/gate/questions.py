"""The questions of the gate's benchmark."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from evaluation.beir import BeirSet
from evaluation.files import json_lines
from indexes.errors import InputError

WRITTEN = "gate.jsonl"
TRICKY = "look-alikes"
TRIVIA = ("triviaqa-1000", "popqa-1000")
FIT_SPLITS = ("dev", "train")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Put:
    """A question that is put to the gate.

    Parameters
    ----------
    text
        The question.
    kind
        What sort it is: one of the written kinds, a set of trivia, or the slice that it is for.
    gold
        Right answers, where there are any.
    """

    text: str
    kind: str
    gold: tuple[str, ...] = ()


def written() -> list[Put]:
    """The written questions: small talk, sums and questions about the system, and look-alikes that need retrieval."""
    lines = files("data").joinpath(WRITTEN).read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    return [Put(r["question"], TRICKY if r["kind"] == "domain" else r["kind"]) for r in records]


def domain(folders: Sequence[Path], n: int, seed: int) -> list[Put]:
    """At most ``n`` test questions of each BEIR folder, with their answers where the folder has ``answers.jsonl``."""
    found = []
    for folder in folders:
        questions = BeirSet.read(folder).questions
        gold = _answers(folder / "answers.jsonl")
        drawn = _draw(sorted(questions), n, seed)
        found += [Put(questions[i], folder.resolve().name, gold.get(i, ())) for i in drawn]
    return found


def to_fit(folders: Sequence[Path], n: int, seed: int) -> list[str]:
    """At most ``n`` questions that need sources and are no test questions, from folders with a dev or training split."""
    found: list[str] = []
    for folder in folders:
        split = next((name for name in FIT_SPLITS if (folder / "qrels" / f"{name}.tsv").is_file()), None)
        if split is not None:
            questions = BeirSet.read(folder, split).questions
            found += [questions[i] for i in _draw(sorted(questions), n, seed)]
    if not found:
        raise InputError("None of the folders has a dev or training split.", "Name one that has, such as nfcorpus.")
    return _draw(found, n, seed)


def trivia(folder: Path, n: int, seed: int) -> list[Put]:
    """At most ``n`` questions of each set of trivia below ``folder``; a ``InputError`` where one is absent."""
    found = []
    for name in TRIVIA:
        path = folder / name / "test.jsonl"
        if not path.is_file():
            raise InputError(f"There is no {path}.", "Name the folder that holds qa/ with --data.")
        records = [record for _, record in json_lines(path)]
        found += [_trivia(record, name) for record in _draw(records, n, seed)]
    return found


def _trivia(record: Mapping[str, Any], name: str) -> Put:
    text = str(record["question"]).strip('"').replace('""', '"')  # as the set quotes a question that holds quotes
    return Put(text, name, tuple(record["golden_answers"]))


def _answers(path: Path) -> dict[str, tuple[str, ...]]:
    if not path.is_file():
        return {}
    return {record["_id"]: tuple(ast.literal_eval(record["reference"])) for _, record in json_lines(path)}


def _draw(items: Sequence[T], n: int, seed: int) -> list[T]:
    rows = np.random.default_rng(seed).permutation(len(items))[:n]
    return [items[row] for row in sorted(rows.tolist())]
