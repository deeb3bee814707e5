"""What labelled questions say of a panel's answers: above which confidence they are wrong no more often than was promised.

Thresholds from the surest answers on are tested one after another, and the last before the first failure is kept
("Learn then Test", Angelopoulos et al., arXiv 2110.01052: fixed-sequence testing), each by the exact binomial tail of
Clopper and Pearson (1934). What is kept is the selective risk of Geifman and El-Yaniv (NeurIPS 2017), wrong among answered.
Thresholds are the confidences of the questions themselves: given a threshold, the answers above it are an independent
sample of all above it, so that its test is valid; that testing in order costs no certainty assumes that surer answers
are not wrong more often than less sure ones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexes import atomic
from indexes.errors import InputError, SettingsError

FILE = "verdict.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Tried:
    """One labelled question.

    Parameters
    ----------
    confidence
        Of the answer, 0 to 1; see ``generators.verdicts.confidence``.
    answered
        Whether there is an answer, whatever the confidence: no other rule refuses.
    right
        Whether answering is right: the answer is, or where only that is known, the question is answerable.
    """

    confidence: float
    answered: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Point:
    """What was seen at one threshold: share of the questions answered, and of those, the share that is wrong."""

    confidence: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class CalibratedVerdict:
    """A threshold with the risk that it keeps.

    Parameters
    ----------
    confidence
        Answers below it are refused.
    risk
        Share of the answered questions, at most, that are wrong, for questions like those it was fitted on …
    certainty
        … with this probability over the draw of these questions.
    questions
        How many there were.
    coverage
        Share of them that is answered.
    curve
        Of all questions, from the surest on.
    model
        The language model that wrote the answers; another one voids the promise.
    experts
        Of the panel; none where that was not noted.
    encoder
        Key of the panel's encoder, with another one nothing of it holds; empty where that was not noted.
    """

    confidence: float
    risk: float
    certainty: float
    questions: int
    coverage: float
    curve: tuple[Point, ...]
    model: str = ""
    experts: tuple[str, ...] = ()
    encoder: str = ""

    def write(self, folder: Path) -> None:
        """Keep it beside the slices."""
        atomic.write(folder / FILE, json.dumps({"format": FORMAT, **asdict(self)}, indent=2).encode())

    @classmethod
    def read(cls, folder: Path) -> CalibratedVerdict | None:
        """Read it; ``None`` where there is none, and a ``SettingsError`` where it is damaged."""
        path = folder / FILE
        if not path.is_file():
            return None
        try:
            values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if values.pop("format") != FORMAT:
                raise ValueError(f"its format is not {FORMAT}")
            values["curve"] = tuple(Point(**point) for point in values["curve"])
            values["experts"] = tuple(values.get("experts", ()))
            found = cls(**values)
            if not 0 <= found.confidence <= 1:
                raise ValueError(f"confidence {found.confidence}")
            return found
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SettingsError(
                f"The verdict's calibration at {path} is damaged: {error}", "`symposia calibrate --reset` removes it."
            ) from error

    @staticmethod
    def remove(folder: Path) -> None:
        """Go back to the settings' thresholds."""
        (folder / FILE).unlink(missing_ok=True)


def fit(tried: Sequence[Tried], risk: float, certainty: float, model: str = "") -> CalibratedVerdict:
    """The lowest threshold that keeps the risk with the stated certainty.

    The first to be tested has twice as many answers as a promise needs where none is wrong, so that it stands a mistake.

    Parameters
    ----------
    risk
        Between 0 and 1: the share of wrong answers among the answered that is promised not to be exceeded.
    certainty
        Between 0 and 1: the probability that the promise is true.

    Raises
    ------
    InputError
        Too few answers for any promise, or answers that are wrong too often at the first threshold already.
    """
    need = 2 * fewest(risk, certainty)
    answered = sum(each.answered for each in tried)
    if answered < need:
        raise InputError(
            f"{answered} of {len(tried)} questions got an answer; to promise at most {risk:.0%} wrong with a certainty of "
            f"{certainty:.0%}, there must be {need}.",
            "Give more questions, or ask for a higher risk or a lower certainty: with that certainty, so many answers can "
            f"promise a risk of {least_risk(answered // 2, certainty):.0%} at best.",
        )
    kept = None
    for threshold in _thresholds(tried):
        count, wrong = _counts(tried, threshold)
        if count < need:
            continue
        if binomial_tail(wrong, count, risk) > 1 - certainty:
            break
        kept = threshold
    if kept is None:
        raise InputError(
            f"Even of the {need} surest answers too many are wrong to promise at most {risk:.0%} with a certainty of "
            f"{certainty:.0%}; of all {answered} answers {sum(e.answered and not e.right for e in tried)} are.",
            "Ask for a higher risk, or give more questions.",
        )
    coverage = _counts(tried, kept)[0] / len(tried)
    return CalibratedVerdict(kept, risk, certainty, len(tried), coverage, curve(tried), model)


def curve(tried: Sequence[Tried]) -> tuple[Point, ...]:
    """Coverage and risk at each confidence that occurs, from the surest on."""
    points = []
    for threshold in _thresholds(tried):
        count, wrong = _counts(tried, threshold)
        points.append(Point(threshold, count / len(tried), wrong / count))
    return tuple(points)


def fewest(risk: float, certainty: float) -> int:
    """How many answers, none of them wrong, a promise needs: ``log(1 − certainty) / log(1 − risk)``, rounded up."""
    for name, value in (("risk", risk), ("certainty", certainty)):
        if not 0 < value < 1:
            raise InputError(
                f"A {name} of {value} cannot be promised.", "Name one between 0 and 1, such as 0.1 or 0.9."
            )
    return math.ceil(math.log(1 - certainty) / math.log1p(-risk) - 1e-9)


def least_risk(answers: int, certainty: float) -> float:
    """The least risk that so many answers can promise, where none of them is wrong."""
    return float(-math.expm1(math.log(1 - certainty) / answers)) if answers else 1.0


def binomial_tail(wrong: int, count: int, risk: float) -> float:
    """Probability of ``wrong`` or fewer among ``count`` where each is wrong with probability ``risk``."""
    logs = [
        math.lgamma(count + 1)
        - math.lgamma(k + 1)
        - math.lgamma(count - k + 1)
        + k * math.log(risk)
        + (count - k) * math.log1p(-risk)
        for k in range(wrong + 1)
    ]
    return min(1.0, math.fsum(map(math.exp, logs)))


def _thresholds(tried: Sequence[Tried]) -> list[float]:
    return sorted({each.confidence for each in tried if each.answered}, reverse=True)


def _counts(tried: Sequence[Tried], threshold: float) -> tuple[int, int]:
    """How many are answered at a threshold, and how many of those are wrong."""
    answered = [each for each in tried if each.answered and each.confidence >= threshold]
    return len(answered), sum(not each.right for each in answered)
