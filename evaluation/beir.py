"""Retrieval sets in the BEIR folder layout: questions and the judgements of one split.

A set is a folder with ``corpus.jsonl`` (``_id``, ``title``, ``text``), ``queries.jsonl`` (``_id``, ``text``) and
``qrels/<split>.tsv`` (``query-id``, ``corpus-id``, ``score``, tab-separated, with that header). Source: Thakur et al.,
"BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval Models", 2021 (arXiv 2104.08663).

Which questions count
    All that the qrels file names, also one whose judgements are all 0. BEIR's evaluator and ``trec_eval -c`` count the
    same set, so means are comparable with published ones. A document judged 0 or below counts as not relevant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.files import json_lines, malformed, numbered_lines
from indexes.errors import InputError

COLUMNS = ("query-id", "corpus-id", "score")


@dataclass(frozen=True, slots=True)
class BeirSet:
    """The questions of one set and the judgements of one of its splits.

    Parameters
    ----------
    name
        The folder's name.
    path
        The folder.
    split
        Which file under ``qrels/`` the judgements come from.
    queries
        Question id to text, for every question of the queries file, judged or not.
    qrels
        Question id to document id to graded relevance, in the order of the file.
    """

    name: str
    path: Path
    split: str
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]

    @classmethod
    def read(cls, path: str | Path, split: str = "test", *, queries_file: str = "queries.jsonl") -> BeirSet:
        """Read a folder. The corpus is not read here: see ``corpus_ids``.

        Parameters
        ----------
        split
            ``test``, or another file under ``qrels/``.
        queries_file
            Some sets keep further questions, or the same ones in other words, in files of their own.

        Raises
        ------
        InputError
            Where a file is missing or malformed, the split has no judgements, or a judged question has no text.
        """
        folder = Path(path)
        _require_files(folder, split, queries_file)
        queries = _read_queries(folder / queries_file)
        qrels = read_qrels(folder / "qrels" / f"{split}.tsv")
        _require_texts(folder, split, queries_file, queries, qrels)
        return cls(folder.resolve().name, folder, split, queries, qrels)

    @property
    def questions(self) -> dict[str, str]:
        """Id to text of the judged questions, in the order of the qrels."""
        return {question: self.queries[question] for question in self.qrels}

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the judged questions and their judgements: equal sets have equal fingerprints."""
        digest = hashlib.sha256()
        for question in sorted(self.qrels):
            digest.update(f"{question}\t{self.queries[question]}\n".encode("utf-8", "backslashreplace"))
            for document, grade in sorted(self.qrels[question].items()):
                digest.update(f"\t{document}\t{grade}\n".encode("utf-8", "backslashreplace"))
        return digest.hexdigest()

    def corpus_ids(self) -> Iterator[str]:
        """Yield the id of each document, reading the corpus line by line."""
        path = self.path / "corpus.jsonl"
        for number, record in json_lines(path):
            yield _identifier(record, path, number)


def _require_files(folder: Path, split: str, queries_file: str) -> None:
    if not folder.is_dir():
        siblings = [child.name for child in sorted(folder.parent.glob("*")) if (child / "corpus.jsonl").is_file()]
        found = f"Sets beside it: {', '.join(siblings)}." if siblings else "Name a folder in BEIR layout."
        raise InputError(f"There is no folder {folder}.", found)
    for name in ("corpus.jsonl", queries_file):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder} has no {name}.", "A BEIR folder holds corpus.jsonl, queries.jsonl and qrels/<split>.tsv."
            )
    if not (folder / "qrels" / f"{split}.tsv").is_file():
        splits = [file.stem for file in sorted((folder / "qrels").glob("*.tsv"))]
        raise InputError(
            f"{folder} has no qrels/{split}.tsv.",
            f"Splits it has: {', '.join(splits)}." if splits else "It has no file under qrels/: add one.",
        )


def _read_queries(path: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    for number, record in json_lines(path):
        identifier = _identifier(record, path, number)
        text = record.get("text")
        if not isinstance(text, str):
            raise malformed(path, number, f"question {identifier} has no text", 'Give it a string under "text".')
        if identifier in queries:
            raise malformed(path, number, f"question {identifier} stands twice", "Remove one of the two lines.")
        queries[identifier] = text
    return queries


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """Question id to document id to grade, from a BEIR file of judgements.

    Raises
    ------
    InputError
        Where the file cannot be read, is malformed, or has no judgement.
    """
    lines = numbered_lines(path)
    number, header = next(lines, (1, ""))
    if tuple(column.strip() for column in header.split("\t")) != COLUMNS:
        wanted = "<tab>".join(COLUMNS)
        raise malformed(path, number, f"the header is {header[:80]!r}", f"The first line must be {wanted}.")
    qrels: dict[str, dict[str, int]] = {}
    for number, line in lines:
        question, document, grade = _judgement(line, path, number)
        qrels.setdefault(question, {})[document] = grade  # a pair that stands twice: the last holds, as in BEIR
    if not qrels:
        raise InputError(f"{path} has a header but no judgements.", "Name another split, or add judgements to it.")
    return qrels


def _judgement(line: str, path: Path, number: int) -> tuple[str, str, int]:
    fix = "Each line must be question id, document id and a whole number, separated by tabs."
    fields = line.split("\t")
    if len(fields) != len(COLUMNS):
        raise malformed(path, number, f"{len(fields)} tab-separated columns instead of 3", fix)
    question, document, grade = fields
    if not question or not document:
        raise malformed(path, number, "an empty id", fix)
    try:
        return question, document, int(grade)
    except ValueError as error:
        raise malformed(path, number, f"the score {grade!r} is not a whole number", fix) from error


def _identifier(record: Mapping[str, Any], path: Path, number: int) -> str:
    identifier = record.get("_id")
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        return str(identifier)
    if not isinstance(identifier, str) or not identifier:
        raise malformed(path, number, "no _id", 'Give it a string that is not empty under "_id".')
    return identifier


def _require_texts(
    folder: Path, split: str, queries_file: str, queries: Mapping[str, str], qrels: Mapping[str, Mapping[str, int]]
) -> None:
    absent = [question for question in qrels if question not in queries]
    if not absent:
        return
    others = [file.name for file in sorted(folder.glob("queries*.jsonl")) if file.name != queries_file]
    hint = f" Other files with questions here: {', '.join(others)}." if others else ""
    raise InputError(
        f"qrels/{split}.tsv judges {len(absent)} of {len(qrels)} questions that {queries_file} does not have, "
        f"the first is {absent[0]!r}.",
        f"Use the questions and the judgements of one and the same split of {folder}.{hint}",
    )
