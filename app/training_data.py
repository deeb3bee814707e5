"""Labelled questions from files: BEIR folders, question/passage pairs in JSONL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.beir import BeirSet
from evaluation.files import json_lines, malformed
from indexes.errors import InputError
from indexes.passage import Passage
from retrievers.training.pairs import Labelled

Grades = dict[str, float]
Pair = tuple[str, Grades]

PAIRS_FIX = (
    'Each line is one JSON object: {"question": "…", "passage_id": "…"}, with "key" (the document\'s own id) or "passage" '
    '(its text) in place of "passage_id" where that is easier, and a "grade" where there are several.'
)


@dataclass(frozen=True, slots=True)
class Read:
    """What one source gave.

    Parameters
    ----------
    name
        Of the source, for people.
    unmatched
        Questions of which no relevant passage is in the slice.
    """

    name: str
    labelled: Labelled
    unmatched: int = 0


class Shelf:
    """A slice's passages, found by id, by the document's own key, or by text."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.ids = {passage.id for passage in passages}
        self._keys: dict[str, list[str]] = defaultdict(list)
        self._texts: dict[str, list[str]] = defaultdict(list)
        for passage in passages:
            self._keys[passage.key].append(passage.id)
            self._texts[_plain(passage.text)].append(passage.id)

    def by_id(self, identifier: str) -> list[str]:
        """The passage itself, if it is here."""
        return [identifier] if identifier in self.ids else []

    def by_key(self, key: str) -> list[str]:
        """All passages of the document that its source calls so."""
        return self._keys.get(key, []) if key else []

    def by_text(self, text: str) -> list[str]:
        """The passages with that text, or else those that hold it; spaces and line ends do not matter."""
        wanted = _plain(text)
        if not wanted:
            return []
        return self._texts.get(wanted) or [i for known, ids in self._texts.items() if wanted in known for i in ids]


def read_labelled(text: str, split: str, shelf: Shelf) -> Read:
    """Read ``PATH`` or ``PATH:SPLIT``: a BEIR folder, judged by ``split`` where none is named, or a file of pairs."""
    path, named = _parted(text)
    if path.is_dir():
        beir = BeirSet.read(path, named or split)
        return _gathered(f"{path}:{beir.split}", _judged(beir, shelf))
    if named or not path.is_file():
        raise InputError(
            f"There is no file or folder {text}.", "Name a BEIR folder (PATH:SPLIT) or a JSONL file of pairs."
        )
    return _gathered(str(path), _pairs(path, shelf))


def _gathered(name: str, pairs: Iterator[Pair]) -> Read:
    given = list(pairs)
    questions = {question for question, _ in given}
    labelled = Labelled.of(given)
    unmatched = len(questions - {question for question, grades in given if any(g > 0 for g in grades.values())})
    return Read(name, labelled, unmatched)


def _judged(beir: BeirSet, shelf: Shelf) -> Iterator[Pair]:
    for question, grades in beir.qrels.items():
        if any(grade > 0 for grade in grades.values()):
            found = {passage: float(g) for document, g in grades.items() for passage in shelf.by_key(document)}
            yield beir.queries[question], found


def _pairs(path: Path, shelf: Shelf) -> Iterator[Pair]:
    looks = {"passage_id": shelf.by_id, "key": shelf.by_key, "passage": shelf.by_text}
    for number, record in json_lines(path):
        question = _question(record, path, number, PAIRS_FIX)
        given = [name for name in looks if isinstance(record.get(name), str)]
        grade = record.get("grade", 1)
        if not given:
            raise malformed(path, number, "no passage", PAIRS_FIX)
        if isinstance(grade, bool) or not isinstance(grade, int | float):
            raise malformed(path, number, f"the grade {grade!r} is not a number", PAIRS_FIX)
        yield question, dict.fromkeys(looks[given[0]](record[given[0]]), float(grade))


def _question(record: Mapping[str, Any], path: Path, number: int, fix: str) -> str:
    question = record.get("question")
    if not isinstance(question, str) or not question.strip():
        raise malformed(path, number, "no question", fix)
    return question


def _parted(text: str) -> tuple[Path, str]:
    """``PATH:SPLIT`` in its parts; a path that exists as it stands has no split."""
    path, colon, split = text.rpartition(":")
    return (Path(path), split) if colon and path and not Path(text).exists() else (Path(text), "")


def _plain(text: str) -> str:
    return " ".join(text.split())
