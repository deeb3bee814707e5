"""Questions with ten passages each: the gold ones among the nearest others of the corpus, in a seeded order."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.beir import BeirSet
from evaluation.files import json_lines
from evaluation.kept import Kept, Record
from indexes.lexical import Bm25, Bm25Settings, average_length
from indexes.passage import Document, Passage
from indexes.terms import terms
from retrievers.evidence import Evidence

PASSAGES = 10
MOST_GOLD = 3  # as many as a sentence may cite
CANDIDATES = 40
ALIKE = 0.8  # a passage that shares this much of its words with a gold one may be as right as that

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Cited:
    """A question with its passages and what is known about its answer.

    Parameters
    ----------
    evidence
        Ten passages, numbered 1 to 10.
    gold
        Numbers of those that were judged relevant.
    answers
        Gold answers; empty where the set has none.
    statement
        A right answer as text, to be attributed without asking a model for one; empty where there is none.
    """

    id: str
    question: str
    evidence: tuple[Evidence, ...]
    gold: frozenset[int]
    answers: tuple[str, ...] = ()
    statement: str = ""


class Corpus:
    """A BEIR corpus in memory, searched by BM25.

    Parameters
    ----------
    path
        ``corpus.jsonl``.
    """

    def __init__(self, path: Path) -> None:
        self.passages = list(_passages(path))
        self.rows = {passage.key: row for row, passage in enumerate(self.passages)}
        texts = [passage.searchable for passage in self.passages]
        self._bm25 = Bm25(Bm25Settings(average_length(texts)))
        self._postings: dict[int, tuple[list[int], list[float]]] = {}
        for row, text in enumerate(texts):
            vector = self._bm25.passage(text)
            for term, weight in zip(vector.indices, vector.values, strict=True):
                rows, weights = self._postings.setdefault(term, ([], []))
                rows.append(row)
                weights.append(weight)

    def nearest(self, question: str, count: int) -> list[int]:
        """Rows of the best passages by BM25, best first, ties by row."""
        scores = np.zeros(len(self.passages))
        for term in self._bm25.question(question).indices:
            rows, weights = self._postings.get(term, ([], []))
            rarity = np.log(1 + (len(scores) - len(rows) + 0.5) / (len(rows) + 0.5))
            scores[rows] += rarity * np.array(weights)
        return [int(row) for row in np.argsort(-scores, kind="stable")[:count]]


def contexts(
    questions: BeirSet, corpus: Corpus, encode: Encode, ids: Iterable[str], *, seed: int, file: Path
) -> Iterator[tuple[str, tuple[Evidence, ...], frozenset[int]]]:
    """Question id, evidence and gold numbers, for each of ``ids``.

    Of a question with more than three gold passages, three are drawn; the others are left out of its context. The
    remaining places are taken, in turn, by the passages nearest by BM25 and those nearest by cosine among forty that BM25
    finds; neither near copies of a gold passage nor empty ones are taken.

    Parameters
    ----------
    file
        Where the choice is kept for the next run.
    """
    kept = Kept(file, "id")

    def chosen(identifier: str) -> Record:
        rows = _context(questions, corpus, encode, identifier, seed)
        return {"passages": [corpus.passages[row].key for row in rows]}

    for identifier in ids:
        grades = questions.qrels[identifier]
        keys = kept.found({"id": identifier}, partial(chosen, identifier))["passages"]
        evidence = tuple(
            Evidence(number, corpus.passages[corpus.rows[key]], questions.name, 1.0)
            for number, key in enumerate(keys, start=1)
        )
        gold = frozenset(number for number, key in enumerate(keys, start=1) if grades.get(key, 0) > 0)
        yield identifier, evidence, gold


def sample(identifiers: Sequence[str], n: int, seed: int) -> list[str]:
    """``n`` of them; for one seed a smaller sample is the beginning of a larger one."""
    order = np.random.default_rng(seed).permutation(len(identifiers))
    return [identifiers[index] for index in order[:n]]


def _context(questions: BeirSet, corpus: Corpus, encode: Encode, identifier: str, seed: int) -> list[int]:
    """Rows of the corpus, in the order in which the passages are numbered."""
    generator = np.random.default_rng([seed, zlib.crc32(identifier.encode())])
    relevant = [key for key, grade in questions.qrels[identifier].items() if grade > 0]
    gold = sorted(corpus.rows[key] for key in relevant if key in corpus.rows)
    kept = sorted(int(row) for row in generator.permutation(gold)[:MOST_GOLD])
    others = _distractors(questions.queries[identifier], corpus, encode, gold, PASSAGES - len(kept))
    return [int(row) for row in generator.permutation([*kept, *others])]


def _distractors(question: str, corpus: Corpus, encode: Encode, gold: Sequence[int], count: int) -> list[int]:
    sources = [terms(corpus.passages[row].searchable) for row in gold]
    near = [
        row
        for row in corpus.nearest(question, CANDIDATES)
        if row not in gold and _differs(terms(corpus.passages[row].searchable), sources)
    ]
    vectors = encode([question, *(corpus.passages[row].searchable for row in near)])
    by_cosine = [near[index] for index in np.argsort(-(vectors[1:] @ vectors[0]), kind="stable")]
    turns = [row for pair in zip(near, by_cosine, strict=True) for row in pair]
    return list(dict.fromkeys(turns))[:count]


def _differs(words: frozenset[int], sources: Sequence[frozenset[int]]) -> bool:
    return bool(words) and all(len(words & source) / len(words | source) < ALIKE for source in sources)


def _passages(path: Path) -> Iterable[Passage]:
    for _, record in json_lines(path):
        text = str(record["text"])
        document = Document(text, title=str(record.get("title", "")), key=str(record["_id"]), whole=True)
        yield Passage.of(document, 0, len(text))


def gold_answers(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Question id to gold answers, from hotpotqa-1000's ``answers.jsonl``, whose ``reference`` is a list written out."""
    import ast

    return {str(record["_id"]): tuple(ast.literal_eval(record["reference"])) for _, record in json_lines(path)}
