"""Calibrating the verdict: above which confidence a panel's answers are wrong no more often than is promised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.models.resolve import languages_of
from evaluation.answers import contains
from evaluation.files import json_lines, malformed
from generators.answer import Answer, Verdict
from generators.verdicts.calibrated_verdict import CalibratedVerdict, Tried, fewest, fit
from indexes.errors import InputError
from indexes.generations import key_of
from retrievers.question import check_question

if TYPE_CHECKING:
    from app.symposium import Symposium

EXAMPLE = 'Such as {"question": "…?", "answers": ["…"]} or {"question": "…?", "answerable": false}.'
ANSWERS = frozenset({Verdict.ANSWERED, Verdict.CONFLICT})
TOGETHER = 8  # questions that are searched in one go

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with right answers, or with whether the sources answer it.

    Parameters
    ----------
    answers
        Texts, one of which a right answer contains; none where only ``answerable`` is known, or nothing answers it.
    """

    question: str
    answers: tuple[str, ...]
    answerable: bool

    def right(self, answer: Answer) -> bool:
        """Whether that is a right answer, as far as the label can tell."""
        if not self.answerable or not self.answers:
            return self.answerable
        return contains(answer.text, self.answers) > 0


@dataclass(frozen=True, slots=True)
class VerdictCalibration:
    """What calibrating did.

    Parameters
    ----------
    calibrated
        As kept beside the slices.
    answered, wrong
        Of all questions, how many are answered without a threshold, and how many of those wrongly.
    """

    calibrated: CalibratedVerdict
    answered: int
    wrong: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        kept = self.calibrated
        return {
            "confidence": kept.confidence,
            "risk": kept.risk,
            "certainty": kept.certainty,
            "questions": kept.questions,
            "coverage": kept.coverage,
            "answered": self.answered,
            "wrong": self.wrong,
            "curve": [{"confidence": p.confidence, "coverage": p.coverage, "risk": p.risk} for p in kept.curve],
        }


def calibrate_verdict(
    symposium: Symposium,
    paths: Sequence[Path],
    risk: float = 0.1,
    certainty: float = 0.9,
    report: Report = lambda _done, _total: None,
) -> VerdictCalibration:
    """Ask the questions, fit the threshold, and keep it in the panel's folder; it serves from the next open on.

    Parameters
    ----------
    paths
        JSONL files of labelled questions.
    risk
        The share of wrong answers among the answered that is promised not to be exceeded …
    certainty
        … with this probability.

    Raises
    ------
    InputError
        A file that cannot be read, a question that would be refused, too few questions for the promise, or answers that
        are wrong too often for it. All but the last are found before any question is asked.
    """
    latin_only = languages_of(symposium.settings.models.encoder) == ("en",)
    labelled = [each for path in paths for each in read_labelled(path, latin_only=latin_only)]
    need = 2 * fewest(risk, certainty)
    if len(labelled) < need:
        raise InputError(
            f"{len(labelled)} questions are too few: at most {risk:.0%} wrong can be promised with a certainty of "
            f"{certainty:.0%} from {need} answered ones on.",
            "Give more questions, or ask for a higher risk or a lower certainty.",
        )
    tried = [
        Tried(answer.signals["confidence"], answer.verdict in ANSWERS, each.right(answer))
        for each, answer in zip(labelled, _asked(symposium, labelled, report), strict=True)
    ]
    experts = tuple(sorted(symposium.panel.experts))
    encoder = key_of(symposium.panel.encoder.fingerprint)
    found = fit(tried, risk, certainty, symposium.answerer.model.name)
    calibrated = replace(found, experts=experts, encoder=encoder)
    calibrated.write(symposium.panel.folder)
    answered = [each for each in tried if each.answered]
    return VerdictCalibration(calibrated, len(answered), sum(not each.right for each in answered))


def read_labelled(path: Path, *, latin_only: bool = False) -> list[Labelled]:
    """Questions of a JSONL file: ``question``, and ``answers`` or ``answerable`` or both.

    Parameters
    ----------
    latin_only
        See ``check_question``.

    Raises
    ------
    InputError
        The file cannot be read, or a line lacks a question or a label, or holds a question that would be refused; the
        message has the line's number.
    """
    labelled = []
    for number, record in json_lines(path):
        labelled.append(_labelled(record, path, number))
        _check_asked(labelled[-1].question, path, number, latin_only=latin_only)
    return labelled


def _check_asked(question: str, path: Path, number: int, *, latin_only: bool) -> None:
    try:
        check_question(question, latin_only=latin_only)
    except InputError as error:
        raise malformed(path, number, error.problem.removesuffix("."), error.fix) from error


def _labelled(record: dict[str, Any], path: Path, number: int) -> Labelled:
    question, answers, answerable = record.get("question"), record.get("answers", []), record.get("answerable")
    if not isinstance(question, str) or not question.strip():
        raise malformed(path, number, "there is no question", EXAMPLE)
    if not isinstance(answers, list) or not all(isinstance(text, str) and text.strip() for text in answers):
        raise malformed(path, number, f"answers is {answers!r}, and must be a list of texts", EXAMPLE)
    if answerable is None and not answers:
        raise malformed(path, number, "there are neither answers nor a word on whether it is answerable", EXAMPLE)
    if not isinstance(answerable, bool | None):
        raise malformed(path, number, f"answerable is {answerable!r}, and must be true or false", EXAMPLE)
    return Labelled(question, tuple(answers), answerable is not False)


def _asked(symposium: Symposium, labelled: Sequence[Labelled], report: Report) -> list[Answer]:
    """The answers with no threshold on the confidence; the one that serves stays as it was."""
    answerer = symposium.answerer
    serving = answerer.options
    answerer.options = replace(serving, thresholds=replace(serving.thresholds, confidence=0.0))
    answers: list[Answer] = []
    try:
        for start in range(0, len(labelled), TOGETHER):
            report(start, len(labelled))
            batch = [each.question for each in labelled[start : start + TOGETHER]]
            answers += symposium.ask_many(batch, retrieval=True)
    finally:
        answerer.options = serving
    return answers
