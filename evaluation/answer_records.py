"""Answers that were stored: each question with its gold and what the system gave, as one line of JSON.

This room knows no type of the others: an answer is the plain dictionary that ``Answer.to_dict`` makes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from evaluation.answers import contains
from evaluation.files import json_lines, malformed
from evaluation.questions import Question, question_of
from indexes.errors import InputError

FILE = "answers.jsonl"
REFUSED = "not in the sources"


@dataclass(frozen=True)
class Record:
    """One question and its answer.

    Parameters
    ----------
    answer
        The answer as plain JSON types; ``None`` where the question could not be asked.
    problem
        Why it could not.
    says_memory
        Whether the answer says the same as the question's ``memory``; ``None`` where that was not judged.
    """

    question: Question
    answer: Mapping[str, Any] | None
    problem: str = ""
    says_memory: bool | None = None

    @property
    def answered(self) -> bool:
        """Whether there is an answer, and it is no refusal."""
        return self.answer is not None and self.answer["verdict"] != REFUSED

    @property
    def refused(self) -> bool:
        """Whether the system said that the sources do not say."""
        return self.answer is not None and self.answer["verdict"] == REFUSED

    @property
    def retrieved(self) -> bool:
        """Whether sources were searched, or given."""
        return self.answer is not None and self.answer["route"]["decision"] == "retrieve"

    @property
    def said(self) -> str:
        """What is judged; empty for a refusal, whose text says where was searched."""
        return str(self.answer["text"]) if self.answer is not None and self.answered else ""

    @cached_property
    def found(self) -> tuple[str, ...]:
        """Texts of the evidence."""
        return tuple(item["passage"]["text"] for item in self.evidence)

    @cached_property
    def gold_found(self) -> bool:
        """Whether a gold answer stands in a piece of evidence as whole words; the slow part of most measures."""
        gold = self.question.answers
        return bool(gold) and any(contains(text, gold) == 1.0 for text in self.found)

    @cached_property
    def keys(self) -> tuple[frozenset[str], ...]:
        """Each piece of evidence by all names that gold may give it: key, id, id of the document, source."""
        named = ("key", "id", "document_id", "source")
        return tuple(
            frozenset(item["passage"][name] for name in named if item["passage"].get(name)) for item in self.evidence
        )

    @property
    def signals(self) -> Mapping[str, float]:
        """The measured numbers that the verdict was decided on; those that were not finite are absent."""
        signals = self.answer["signals"] if self.answer is not None else {}
        return {name: float(value) for name, value in signals.items() if value is not None}

    @property
    def seconds(self) -> float:
        """Wall time of the answer, in seconds."""
        return sum(self.answer["seconds"].values()) if self.answer is not None else 0.0

    @property
    def evidence(self) -> Sequence[Mapping[str, Any]]:
        """The evidence as plain JSON types."""
        return self.answer["evidence"] if self.answer is not None else ()

    def line(self) -> str:
        """One line of ``answers.jsonl``."""
        record = {
            "question": self.question.to_dict(),
            "answer": self.answer,
            "problem": self.problem,
            "says_memory": self.says_memory,
        }
        return json.dumps(_finite(record), ensure_ascii=False, allow_nan=False)


def read_records(path: Path) -> list[Record]:
    """Read a file of ``Record.line``.

    Raises
    ------
    InputError
        Where the file cannot be read, or a line is no record.
    """
    return [_record(path, number, values) for number, values in json_lines(path)]


def read_system(manifest: Path) -> dict[str, Any]:
    """What gave the answers beside a manifest; empty where it does not say.

    Raises
    ------
    InputError
        Where the manifest is missing or no JSON object.
    """
    try:
        record = json.loads(manifest.read_text(encoding="utf-8"))
        return dict(record.get("system") or {})
    except (OSError, ValueError, AttributeError, TypeError, RecursionError) as error:
        raise InputError(
            f"Cannot read {manifest}, which says what system gave the answers beside it: {error}.",
            "Evaluate again, into another folder.",
        ) from error


def mend(path: Path) -> bool:
    """Drop a last line that was cut short when its writer was killed; True where there was one."""
    if not path.is_file():
        return False
    raw = path.read_bytes()
    whole, _, rest = raw.rpartition(b"\n")
    if not rest:
        return False
    path.write_bytes(whole + b"\n" if whole else b"")
    return True


def append_records(path: Path, records: Iterable[Record]) -> None:
    """Add records to the end of a file, which is made where absent.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8", newline="\n", errors="backslashreplace") as stream:
            stream.writelines(f"{record.line()}\n" for record in records)
    except OSError as error:
        raise InputError(
            f"Cannot write {path}: {error.strerror}.", "Free some space there, or name another folder with --out."
        ) from error


def _record(path: Path, number: int, values: Mapping[str, Any]) -> Record:
    answer = values.get("answer")
    try:
        question = question_of(values["question"])
        if answer is not None and not {"text", "verdict", "evidence", "route", "signals", "seconds"} <= set(answer):
            raise ValueError("the answer lacks a field")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise malformed(path, number, f"no stored answer ({error})", "Evaluate again, into another folder.") from error
    says_memory = values.get("says_memory")
    return Record(question, answer, str(values.get("problem", "")), None if says_memory is None else bool(says_memory))


def _finite(value: Any) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
