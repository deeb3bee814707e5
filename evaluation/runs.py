"""A run: what a system returned for each question, in the six-column format of TREC.

Ties
    Equal scores are ordered by document id, ascending, everywhere in Symposia. ``trec_eval`` ignores the rank column,
    holds scores in single precision and orders equal ones by id *descending*. So ``Run.write`` lowers a score that is
    not below its predecessor in single precision to the next number that is: every tool then sees our order. Scores
    that need no such step are written exactly. In a file that others wrote with ties, our order may differ from theirs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.files import malformed, numbered_lines, write_lines
from indexes.errors import InputError

LARGEST = 1e38
"""Scores beyond this do not fit into single precision."""

Hits = list[tuple[str, float]]
Search = Callable[[list[str]], Sequence[Sequence[tuple[str, float]]]]


@dataclass(frozen=True, slots=True)
class Run:
    """The ranking that one system gave for each question.

    Whatever is passed in, ``results`` holds each document once per question, with its best score (the passages of a
    document stand under its id: MaxP, Dai and Callan, SIGIR 2019), by score descending, then id ascending.

    Parameters
    ----------
    name
        The system's name: the tag of the file, and its row in a table.
    results
        Question id to ``(document id, score)``. A question without results may be left out; it scores 0.

    Raises
    ------
    InputError
        Where a score is not a finite number.
    """

    name: str
    results: Mapping[str, Hits]

    def __post_init__(self) -> None:
        ranked = {question: _ranked(hits, self.name, question) for question, hits in self.results.items()}
        object.__setattr__(self, "results", ranked)

    @classmethod
    def read(cls, path: str | Path, name: str = "") -> Run:
        """Read ``qid Q0 docid rank score tag`` lines, from any tool; the rank and the tag are ignored.

        Columns are separated by spaces or tabs; a line whose tabs make six columns may have spaces in its ids.

        Parameters
        ----------
        name
            The run's name; by default the file's name without its extension.

        Raises
        ------
        InputError
            Where the file cannot be read or a line is malformed, with its number.
        """
        file = Path(path)
        results: dict[str, Hits] = {}
        for number, line in numbered_lines(file):
            question, document, score = _parsed(line, file, number)
            results.setdefault(question, []).append((document, score))
        return cls(name or file.stem, results)

    def write(self, path: str | Path) -> None:
        """Write the TREC format, whole or not at all, questions in order of id. See the module for ties.

        Columns are separated by a space, or by tabs throughout where an id or the name contains white space.

        Raises
        ------
        InputError
            Where an id is empty or contains a tab or line break, or the file cannot be written.
        """
        write_lines(Path(path), self._lines())

    def _lines(self) -> Iterator[str]:
        words = {self.name, *self.results, *(document for hits in self.results.values() for document, _ in hits)}
        for word in sorted(words):
            if not word or re.search(r"[\t\r\n]", word):
                raise InputError(
                    f"The name or id {word!r} cannot be written to a run file.",
                    "Use names and ids that are not empty, without tabs and line breaks.",
                )
        separator = "\t" if any(re.search(r"\s", word) for word in words) else " "
        for question in sorted(self.results):
            hits = self.results[question]
            for rank, ((document, _), score) in enumerate(zip(hits, falling(hits), strict=True), start=1):
                yield separator.join((question, "Q0", document, str(rank), score, self.name))


def retrieve_run(
    name: str,
    questions: Mapping[str, str],
    search: Search,
    depth: int = 100,
    on_progress: Callable[[int, int], None] | None = None,
    *,
    batch_size: int = 32,
    drop_same_id: bool = False,
) -> Run:
    """Ask a search function all questions, in batches.

    Parameters
    ----------
    questions
        Question id to text.
    search
        Takes a list of texts; gives for each, in order, ``(document id, score)`` pairs, higher is better, in any order.
        It should return enough passages for ``depth`` documents.
    depth
        How many documents to keep for each question.
    on_progress
        Called with (questions done, questions in all) after each batch.
    drop_same_id
        Drop a document with the id of the question: for sets whose questions stand in the corpus (ArguAna, Quora).

    Raises
    ------
    InputError
        Where ``depth`` or ``batch_size`` is below 1, or a score is not finite.
    ValueError
        Where ``search`` does not return one list for each text.
    """
    if depth < 1 or batch_size < 1:
        raise InputError(f"The depth is {depth} and the batch size {batch_size}.", "Both must be 1 or more.")
    ids = list(questions)
    results: dict[str, Hits] = {}
    for start in range(0, len(ids), batch_size):
        batch = ids[start : start + batch_size]
        answers = search([questions[question] for question in batch])
        if len(answers) != len(batch):
            raise ValueError(f"{name}: {len(answers)} result lists for {len(batch)} questions")
        for question, hits in zip(batch, answers, strict=True):
            kept = [hit for hit in hits if not (drop_same_id and hit[0] == question)]
            results[question] = _ranked(kept, name, question)[:depth]
        if on_progress is not None:
            on_progress(start + len(batch), len(ids))
    return Run(name, results)


def _ranked(hits: Iterable[tuple[str, float]], name: str, question: str) -> Hits:
    best: dict[str, float] = {}
    for document, value in hits:
        score = float(value)
        if not abs(score) <= LARGEST:
            raise InputError(
                f"Run {name}, question {question}: document {document} has the score {score}.",
                "Scores must be finite numbers: mend the system that made this run.",
            )
        if document not in best or score > best[document]:
            best[document] = score
    return sorted(best.items(), key=lambda hit: (-hit[1], hit[0]))


def falling(hits: Hits) -> Iterator[str]:
    """The scores as text, each below the one before in single precision."""
    before = np.float32(np.inf)
    for _, score in hits:
        single = np.float32(score)
        if single < before:
            before = single
            yield repr(score)
        else:
            before = np.nextafter(before, np.float32(-np.inf))
            yield f"{float(before):.9g}"


def _parsed(line: str, path: Path, number: int) -> tuple[str, str, float]:
    fields = line.split("\t")
    if len(fields) != 6:
        fields = re.split(r"[ \t\f\v]+", line.strip())
    fix = "Each line must be: question id, Q0, document id, rank, score, run name."
    if len(fields) != 6:
        raise malformed(path, number, f"{len(fields)} columns instead of 6 in {line[:80]!r}", fix)
    if not fields[0] or not fields[2]:
        raise malformed(path, number, f"an empty id in {line[:80]!r}", fix)
    try:
        score = float(fields[4])
    except ValueError as error:
        raise malformed(path, number, f"the score {fields[4][:40]!r} is not a number", fix) from error
    if not math.isfinite(score) or abs(score) > LARGEST:
        raise malformed(path, number, f"the score {fields[4][:40]!r} is not a finite number", fix)
    return fields[0], fields[2], score
