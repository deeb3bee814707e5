"""The questions: of conversations labelled by people, and of BEIR sets whose passages are there or are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from app.bench.dialogues import exchanges, follow, half
from evaluation.beir import BeirSet
from evaluation.files import json_lines, malformed
from indexes.errors import InputError

LABELLED = Path("qa", "mtrag-un-dev", "reference.jsonl")
SETS = {"ibmcloud": "mtrag-cloud", "fiqa": "mtrag-fiqa"}
DEVELOPMENT = {"fiqa-pooled": "dev", "nfcorpus": "dev", "scifact": "train", "hotpotqa-1000": "train"}

Sources = Literal["all", "without the slice", "without the passages"]
"""What is searched: everything; everything but the slice that the question belongs to, or but its relevant passages."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question of which it is known whether the sources answer it.

    Parameters
    ----------
    slice
        The expert that it belongs to.
    sources
        What is searched.
    answerable
        Whether what is searched answers it.
    relevant
        Keys of the documents that answer it.
    typed
        The question as it was typed, where that is another: a follow-up is understood in the light of what was said.
    """

    id: str
    question: str
    slice: str
    sources: Sources
    answerable: bool
    relevant: frozenset[str] = frozenset()
    typed: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """The conversations of mtRAG-UN: questions, and how many were left out by their label."""

    questions: tuple[Labelled, ...]
    left_out: dict[str, int]


def read_reference(path: Path) -> Reference:
    """The last turn of each conversation that is labelled as answerable or unanswerable; other labels are left out.

    Raises
    ------
    InputError
        The file cannot be read, or a line lacks a field.
    """
    questions, left_out = [], dict[str, int]()
    for number, record in json_lines(path):
        try:
            label = str(record["answerability"][0])
            *said, last = exchanges([(str(turn["speaker"]), str(turn["text"])) for turn in record["input"]])
            typed = " ".join(last.question.split())
            question = Labelled(
                str(record["task_id"]),
                follow(typed, said),
                SETS[record["Collection"]],
                "all",
                label == "ANSWERABLE",
                frozenset(str(context["document_id"]) for context in record["contexts"]),
                typed,
            )
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise malformed(path, number, f"{error!r}", "Each line must be a task of mtRAG-UN.") from error
        if label in ("ANSWERABLE", "UNANSWERABLE"):
            questions.append(question)
        else:
            left_out[label.lower()] = left_out.get(label.lower(), 0) + 1
    return Reference(tuple(questions), left_out)


def not_tuned_on(questions: Sequence[Labelled]) -> tuple[Labelled, ...]:
    """Those of conversations on which the rules that understand follow-ups were not made."""
    return tuple(question for question in questions if half(question.id) == "report")


def as_typed(questions: Sequence[Labelled]) -> tuple[Labelled, ...]:
    """The same questions without the conversation before them."""
    return tuple(replace(question, question=question.typed) for question in questions)


def lacking(questions: Sequence[Labelled]) -> tuple[Labelled, ...]:
    """The answerable ones, and the same asked of a panel that lacks their slice."""
    asked = [question for question in questions if question.answerable]
    return (*asked, *(replace(question, sources="without the slice", answerable=False) for question in asked))


def development(data: Path, limit: int, seed: int) -> tuple[Labelled, ...]:
    """Questions of development splits, none of which is ever reported: in three parts of ``limit`` a set, whole, lacking and removed.

    The parts hold different questions where there are enough.
    """
    found: list[Labelled] = []
    for name, split in DEVELOPMENT.items():
        beir = BeirSet.read(data / "beir" / name, split)
        ids = sorted(beir.qrels)
        order = np.random.default_rng(seed).permutation(len(ids))
        parts: tuple[Sources, ...] = ("all", "without the slice", "without the passages")
        for number, sources in enumerate(parts):
            for place in order[number * limit : (number + 1) * limit]:
                key = ids[place]
                relevant = frozenset(k for k, grade in beir.qrels[key].items() if grade > 0)
                found.append(Labelled(key, beir.queries[key], name, sources, sources == "all", relevant))
    return tuple(found)


def require(data: Path, names: Sequence[str]) -> list[Path]:
    """Folders of the BEIR sets.

    Raises
    ------
    InputError
        Where one is missing.
    """
    folders = [data / "beir" / name for name in names]
    for folder in folders:
        if not (folder / "corpus.jsonl").is_file():
            raise InputError(f"There is no corpus in {folder}.", "Name the data folder: --data FOLDER.")
    return folders
