"""The demo's questions, and what a right answer to each looks like."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from generators.answer import Answer, Verdict
from indexes.errors import InputError

Kind = Literal["evidence", "two experts", "unanswerable", "no retrieval"]


@dataclass(frozen=True, slots=True)
class Question:
    """One line of ``data/questions.jsonl``; the fields are described in ``data/__init__.py``."""

    id: str
    question: str
    kind: Kind
    experts: tuple[str, ...]
    cite: tuple[str, ...]
    keywords: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question went.

    Parameters
    ----------
    failures
        What was not as expected, in words; empty for a pass.
    """

    question: Question
    answer: Answer
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "id": self.question.id,
            "kind": self.question.kind,
            "passed": self.passed,
            "failures": list(self.failures),
            "answer": self.answer.to_dict(),
        }


def read_questions() -> list[Question]:
    """All questions, in file order."""
    lines = files("data").joinpath("questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [_question(json.loads(line)) for line in lines if line.strip()]


def judge(question: Question, answer: Answer) -> Outcome:
    """Compare an answer with what is expected of it."""
    checks = {
        "evidence": _judge_evidence,
        "two experts": _judge_two_experts,
        "unanswerable": _judge_unanswerable,
        "no retrieval": _judge_no_retrieval,
    }
    return Outcome(question, answer, tuple(checks[question.kind](question, answer)))


def _judge_evidence(question: Question, answer: Answer) -> list[str]:
    failures = _experts(question, answer) + _verdict(answer, Verdict.ANSWERED) + _keywords(question, answer)
    cited = " ".join(_flat(item.passage.text) for item in answer.cited)
    if not any(_flat(wanted) in cited for wanted in question.cite):
        found = " ".join(_flat(item.passage.text) for item in answer.evidence)
        known = any(_flat(wanted) in found for wanted in question.cite)
        failures.append("passage found but not cited" if known else "passage not found")
    return failures


def _judge_two_experts(question: Question, answer: Answer) -> list[str]:
    failures = _experts(question, answer) + _verdict(answer, Verdict.ANSWERED) + _keywords(question, answer)
    cited = " ".join(_flat(item.passage.text) for item in answer.cited)
    missing = [wanted for wanted in question.cite if _flat(wanted) not in cited]
    return failures + [f"not cited: {wanted!r}" for wanted in missing]


def _judge_unanswerable(_: Question, answer: Answer) -> list[str]:
    return _verdict(answer, Verdict.NOT_IN_SOURCES)


def _judge_no_retrieval(question: Question, answer: Answer) -> list[str]:
    failures = _verdict(answer, Verdict.FROM_MEMORY) + _keywords(question, answer)
    return failures + ([] if answer.text.strip() else ["empty answer"])


def _experts(question: Question, answer: Answer) -> list[str]:
    missing = [name for name in question.experts if name not in answer.route.experts]
    return [f"not asked: {', '.join(missing)}"] if missing else []


def _verdict(answer: Answer, expected: Verdict) -> list[str]:
    return [] if answer.verdict is expected else [f"verdict {answer.verdict.value!r} instead of {expected.value!r}"]


def _keywords(question: Question, answer: Answer) -> list[str]:
    text = answer.text.casefold()
    missing = [group for group in question.keywords if not any(word.casefold() in text for word in group)]
    return [f"answer lacks {' / '.join(group)!r}" for group in missing]


def _flat(text: str) -> str:
    return " ".join(text.split())


def _question(values: dict[str, Any]) -> Question:
    def strings(items: Sequence[str]) -> tuple[str, ...]:
        return tuple(items)

    try:
        return Question(
            id=values["id"],
            question=values["question"],
            kind=values["kind"],
            experts=strings(values["experts"]),
            cite=strings(values["cite"]),
            keywords=tuple(strings(group) for group in values["keywords"]),
            note=values.get("note", ""),
        )
    except KeyError as error:
        raise InputError(
            f"data/questions.jsonl: a question lacks the field {error}.", "See data/__init__.py."
        ) from error
