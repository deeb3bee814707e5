"""Run conditions, each in a process of its own, and compare their scores with what is expected."""

from __future__ import annotations

import json
import os
import subprocess  # runs this very program
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.reproduction import Condition, Expected, Status, number_at
from indexes.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
ORDER: tuple[Status, ...] = ("OK", "SKIP", "OKish", "FAIL")

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Score:
    """An expected number and what came out; ``None`` where nothing did."""

    expected: Expected
    got: float | None

    @property
    def status(self) -> Status:
        """OK, OKish or FAIL."""
        return "FAIL" if self.got is None else self.expected.judge(self.got)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "path": self.expected.path,
            "expected": self.expected.value,
            "tolerance": self.expected.tolerance,
            "got": self.got,
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Reproduced:
    """What became of one condition.

    Parameters
    ----------
    reason
        Why it was skipped or gave no scores; else empty.
    """

    condition: Condition
    scores: tuple[Score, ...] = ()
    reason: str = ""
    skipped: bool = False
    seconds: float = 0.0

    @property
    def status(self) -> Status:
        """That of its worst score."""
        if self.skipped:
            return "SKIP"
        return max((score.status for score in self.scores), key=ORDER.index, default="FAIL")

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "name": self.condition.name,
            "command": list(self.condition.command),
            "status": self.status,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "scores": [score.to_dict() for score in self.scores],
        }


def reproduce(
    conditions: Sequence[Condition],
    on_progress: Report = lambda _: None,
    environment: Mapping[str, str] | None = None,
) -> list[Reproduced]:
    """Run each condition in turn; what commands write to stderr goes to ours.

    A command that fails, or does not give its scores, does not keep the others from running.

    Parameters
    ----------
    environment
        Variables of the commands; those of this process by default.
    """
    results, variables = [], os.environ if environment is None else environment
    for number, condition in enumerate(conditions, start=1):
        on_progress(f"[{number} of {len(conditions)}] {condition.name}")
        with tempfile.TemporaryDirectory(prefix="symposia-") as out:
            results.append(_run(condition.with_places({"data": data_folder(), "out": out}), variables))
        on_progress(f"{results[-1].status} {condition.name} {results[-1].reason}".rstrip())
    return results


def data_folder() -> str:
    """Where the benchmark data is: ``$SYMPOSIA_DATA``, or ``../shared/data``."""
    return os.environ.get("SYMPOSIA_DATA", "../shared/data")


def worst(results: Iterable[Reproduced]) -> Status:
    """The worst status of all."""
    return max((result.status for result in results), key=ORDER.index, default="OK")


def _run(condition: Condition, environment: Mapping[str, str]) -> Reproduced:
    absent = [path for path in condition.needs if not Path(path).exists()]
    if absent:
        return Reproduced(condition, reason=f"{', '.join(absent)} is not there", skipped=True)
    started = time.perf_counter()
    paths = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH", ""))))
    done = subprocess.run(  # noqa: S603 (this interpreter and this program, no shell)
        [sys.executable, "-m", "app.cli", *condition.command],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        env={**environment, "PYTHONPATH": paths},
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        missing = tuple(Score(expected, None) for expected in condition.expected)
        return Reproduced(condition, missing, _why(done.returncode, done.stdout), seconds=seconds)
    try:
        document = _document(condition, done.stdout)
    except InputError as error:
        missing = tuple(Score(expected, None) for expected in condition.expected)
        return Reproduced(condition, missing, str(error).replace("\n", " "), seconds=seconds)
    scores, reasons = _scores(condition, document)
    return Reproduced(condition, scores, reasons, seconds=seconds)


def _why(code: int, stdout: str) -> str:
    """What the command said with ``--json``; else its exit code."""
    try:
        error = json.loads(stdout)["error"]
        return f"exit code {code}: {error['problem']} {error['fix']}"
    except (ValueError, KeyError, TypeError):
        return f"exit code {code}; what it said stands above"


def _document(condition: Condition, stdout: str) -> object:
    place = condition.scores or "stdout"
    try:
        text = Path(condition.scores).read_text(encoding="utf-8") if condition.scores else stdout
        return json.loads(text)
    except OSError as error:
        raise InputError(f"Cannot read {place}: {error.strerror}.", "Check where the command writes it.") from error
    except ValueError as error:
        raise InputError(f"What the command gave in {place} is not JSON: {error}.", "Does it have --json?") from error


def _scores(condition: Condition, document: object) -> tuple[tuple[Score, ...], str]:
    scores, reasons = [], []
    for expected in condition.expected:
        try:
            scores.append(Score(expected, number_at(document, expected.path)))
        except InputError as error:
            scores.append(Score(expected, None))
            reasons.append(f"{error.problem} {error.fix}")
    return tuple(scores), " ".join(reasons)
