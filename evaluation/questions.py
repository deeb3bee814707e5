"""Questions with gold, from JSONL files; a bad line is reported with its place, and the others are kept.

A line is one object:

``id``, ``question``
    Texts; the id is the line's place in the file where it is absent.
``answers``
    Right answers, each a text. May be empty for a question that has gold passages, or none.
``answerable``
    Whether the sources hold the answer; true by default.
``passages``
    Keys of the passages that hold the answer.
``memory``
    What the model says without sources, each a text; under-trust and over-trust are judged only where it is given.
    `symposia evaluate-answers FILE --no-retrieve` stores what it says.
``conflict``
    Whether the sources answer it differently, true or false; not judged where it is absent.
``context``
    The question is answered from this instead of by retrieval: a text, or a list of texts or of objects with ``text``
    and, where there are any, ``title``, ``date`` and ``key`` (by default the place in the list: 1, 2, …).
``slice``
    What the question is counted under; by default the file's name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexes.errors import InputError


class UnusableError(ValueError):
    """A line that is no question, or one that cannot be judged."""


@dataclass(frozen=True, slots=True)
class Given:
    """A passage that comes with its question."""

    text: str
    key: str
    title: str = ""
    date: str = ""

    def to_dict(self) -> dict[str, str]:
        """Plain JSON types."""
        return {"text": self.text, "key": self.key, "title": self.title, "date": self.date}


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its gold; see the module's docstring."""

    id: str
    question: str
    slice: str
    answers: tuple[str, ...] = ()
    answerable: bool = True
    passages: tuple[str, ...] = ()
    memory: tuple[str, ...] = ()
    context: tuple[Given, ...] = ()
    conflict: bool | None = None

    @property
    def asked(self) -> str:
        """Fingerprint of what is put to the system: an answer stays good while this stays the same."""
        return _sha(self.question, [given.to_dict() for given in self.context])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; ``question_of`` is the inverse."""
        return {
            "id": self.id,
            "question": self.question,
            "slice": self.slice,
            "answers": list(self.answers),
            "answerable": self.answerable,
            "passages": list(self.passages),
            "memory": list(self.memory),
            "context": [given.to_dict() for given in self.context],
            "conflict": self.conflict,
        }


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """What was read.

    Parameters
    ----------
    name
        The files' names.
    questions
        In the order of the files and lines; no id stands twice.
    problems
        One text for each line that could not be used, with its place as ``file:line``.
    """

    name: str
    questions: tuple[Question, ...]
    problems: tuple[str, ...] = ()

    def slices(self) -> dict[str, tuple[Question, ...]]:
        """The questions of each slice, in the order in which the slices appear."""
        found: dict[str, list[Question]] = {}
        for question in self.questions:
            found.setdefault(question.slice, []).append(question)
        return {name: tuple(questions) for name, questions in found.items()}

    def drawn(self, limit: int | None, seed: int) -> QuestionSet:
        """At most ``limit`` questions of each slice, in a random order; a smaller draw is the beginning of a larger."""
        if limit is None:
            return self
        kept = [question for questions in self.slices().values() for question in _draw(questions, limit, seed)]
        return QuestionSet(self.name, tuple(kept), self.problems)

    def data(self) -> list[dict[str, Any]]:
        """What the manifest says of each slice: name, split (empty), fingerprint of questions and gold, and number."""
        return [
            {"name": name, "split": "", "sha256": _sha(sorted(map(_line, questions))), "n": len(questions)}
            for name, questions in self.slices().items()
        ]


def read_questions(paths: Sequence[Path]) -> QuestionSet:
    """Read JSONL files.

    Raises
    ------
    InputError
        Where a file cannot be read, or no line of any can be used.
    """
    known: dict[str, str] = {}
    questions, problems = [], []
    for path in paths:
        for number, line in _lines(path):
            place = f"{path}:{number}"
            try:
                question = question_of(_record(line), path.stem, f"{path.stem}:{number}")
            except UnusableError as error:
                problems.append(f"{place}: {error}.")
                continue
            if question.id in known:
                problems.append(f"{place}: the id {question.id!r} stands at {known[question.id]} already.")
                continue
            known[question.id] = place
            questions.append(question)
    if not questions:
        why = problems[0] if problems else "The file is empty."
        raise InputError(
            f"{', '.join(map(str, paths))}: no question can be used. {why}",
            'Each line must be an object such as {"id": "1", "question": "…?", "answers": ["…"]}.',
        )
    return QuestionSet("+".join(path.stem for path in paths), tuple(questions), tuple(problems))


def question_of(record: Mapping[str, Any], name: str = "", id_: str = "") -> Question:
    """The question that an object describes; ``name`` and ``id_`` stand in for its slice and id.

    Raises
    ------
    UnusableError
        For a field of the wrong type, or a question that cannot be judged; the message says which.
    """
    asked = record.get("question")
    if not isinstance(asked, str) or not asked.strip():
        raise UnusableError("there is no question")
    answerable, conflict = _truth(record, "answerable"), _truth(record, "conflict")
    question = Question(
        id=_name(record, "id", id_),
        question=asked,
        slice=_name(record, "slice", name),
        answers=_texts(record, "answers"),
        answerable=answerable is not False,
        passages=_texts(record, "passages"),
        memory=_texts(record, "memory"),
        context=tuple(_given(record.get("context"))),
        conflict=conflict,
    )
    if question.answerable and not question.answers and not question.passages:
        raise UnusableError("it has neither answers nor passages, and is not marked as unanswerable")
    return question


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.", "Check the path and its permissions.") from error
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnusableError(f"not UTF-8 at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"not JSON ({error})") from error
    if not isinstance(record, dict):
        raise UnusableError(f"a JSON {type(record).__name__}, not an object")
    return record


def _name(record: Mapping[str, Any], key: str, default: str) -> str:
    value = record.get(key, default)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise UnusableError(f"the {key} is {value!r}, and must be a text")
    return str(value)


def _truth(record: Mapping[str, Any], key: str) -> bool | None:
    value = record.get(key)
    if value is not None and not isinstance(value, bool):
        raise UnusableError(f"{key} is {value!r}, and must be true or false")
    return value


def _texts(record: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = record.get(key) or []
    if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
        raise UnusableError(f"{key} is {values!r}, and must be a list of texts that are not empty")
    return tuple(values)


def _given(context: object) -> Iterator[Given]:
    if context is None or context == "":
        return
    for number, item in enumerate(context if isinstance(context, list) else [context], start=1):
        fields = {"text": item} if isinstance(item, str) else item
        if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
            raise UnusableError("the context must be a text, or a list of texts or of objects with a text")
        if not fields.get("text", "").strip():
            raise UnusableError(f"passage {number} of the context has no text")
        yield Given(fields["text"], fields.get("key") or str(number), fields.get("title", ""), fields.get("date", ""))


def _draw(questions: Sequence[Question], limit: int, seed: int) -> list[Question]:
    order = np.random.default_rng(seed).permutation(len(questions))
    return [questions[place] for place in order[:limit]]


def _line(question: Question) -> str:
    return json.dumps(question.to_dict(), ensure_ascii=True, sort_keys=True)


def _sha(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()
