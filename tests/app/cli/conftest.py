from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from app.cli import main
from app.library import AddProgress, AddReport, ExpertCard
from app.planning import AddPlan
from generators.answer import Answer, Citation, Claim, Verdict
from generators.events import Answered, Checking, Event, Found, Routed, Token
from indexes.errors import InputError
from indexes.passage import Passage
from indexes.readers.problem import Problem
from indexes.sync.duplicates import Duplicates, Near, Place, Same
from retrievers.evidence import Evidence, Route, Share

TEXT = "Paris is the capital. It has two rivers."


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


def make_answer() -> Answer:
    passages = [
        Passage("p1", "d1", "France lies in Europe. Its capital is\nParis.", "France", place="Government", date="2024"),
        Passage("p2", "d2", "Rivers: the Seine.", "Rivers [of] Paris\x1b[31m"),
    ]
    evidence = tuple(
        Evidence(i, passage, "countries", 0.9 / i, {"dense": 0.5}) for i, passage in enumerate(passages, start=1)
    )
    claims = (
        Claim(TEXT[:21], 0, 21, "supported", (Citation(1, 23, 45, 1.2, 0.9),), 0.1),
        Claim(TEXT[22:], 22, 40, "unsupported"),
    )
    shares = (Share("countries", 0.8, True), Share("speeches", 0.15, False))
    route = Route(
        "retrieve", "domain", shares, 0.05, "Asked countries: it is nearest.", {"python": "its slice is locked"}
    )
    return Answer(
        "What is the capital?",
        TEXT,
        Verdict.ANSWERED,
        claims,
        evidence,
        route,
        "a-model",
        "adacad",
        {"relevance": 0.9},
        {"retrieve": 0.02, "write": 12.0},
    )


@dataclass
class FakeSymposium:
    """Answers every question with the same answer, and notes what it was asked."""

    settings: Any = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    replacing: list[tuple[bool, bool]] = field(default_factory=list)
    report: AddReport | None = None
    withheld: tuple[Problem, ...] = ()
    error: BaseException | None = None
    closed: bool = False
    problems: tuple[Problem, ...] = ()
    cards: Sequence[ExpertCard] = ()
    noise: str = ""

    def stream(self, question: str, **wishes: Any) -> Iterator[Event]:
        self._note(question=question, **wishes)
        answer = make_answer()
        yield Routed(answer.route)
        yield Found(answer.evidence)
        yield Token("A draft that is replaced.", float("nan"))
        yield Checking("A draft that is replaced.")
        yield Answered(answer)

    def retrieve(self, question: str, **wishes: Any) -> tuple[Route, tuple[Evidence, ...]]:
        self._note(question=question, **wishes)
        answer = make_answer()
        return answer.route, answer.evidence

    def add(
        self,
        paths: Sequence[Path],
        expert: str,
        description: str = "",
        *,
        replacing: bool = False,
        prune: bool = False,
        on_progress: Callable[[AddProgress], None],
        on_problem: Callable[[Problem], None],
    ) -> AddReport:
        self._note(paths=paths, expert=expert, description=description)
        self.replacing.append((replacing, prune))
        on_progress(AddProgress(1, 20, 15, 5.0, 50))
        for problem in self.problems:
            on_problem(problem)
        if self.report is not None:
            return self.report
        return AddReport(expert, 2, 30, 20, self.problems, 1.5)

    def plan(self, paths: Sequence[Path], expert: str, *, replacing: bool, prune: bool) -> AddPlan:
        self._note(paths=paths, expert=expert)
        self.replacing.append((replacing, prune))
        return AddPlan(expert, 9, 40, 2, 3, 4, 1, 1200, 5, 75.0, True, self.problems, self.withheld)

    def duplicates(self, expert: str, least: float) -> Duplicates:
        self._note(expert=expert, least=least)
        here = Place("p1", "d1", "One", "one.txt")
        there = [Place(f"p{n}", f"d{n}", "", f"{n}.txt") for n in range(2, 6)]
        return Duplicates(1200, (Same("Said\nagain.", (here, *there)),), (Near(here, there[0], 0.912),))

    def experts(self) -> list[ExpertCard]:
        self._note()
        return list(self.cards)

    def remove(self, expert: str) -> None:
        if expert != "birds":
            raise InputError(f"There is no expert named {expert!r}.", "The experts are: birds.")
        self._note(removed=expert)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def _note(self, **what: Any) -> None:
        if self.noise:
            sys.stdout.write(self.noise + "\n")
        if self.error is not None:
            raise self.error
        self.asked.append(what)


@pytest.fixture(autouse=True)
def clean_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty current folder, no settings from outside, and logging as it was."""
    for name in list(os.environ):
        if name.startswith("SYMPOSIA_") or name in {"NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def symposium(monkeypatch: pytest.MonkeyPatch) -> FakeSymposium:
    """The fake that ``Symposium.open`` returns, with the settings it was opened with."""
    fake = FakeSymposium()

    def open_fake(settings: Any) -> FakeSymposium:
        fake.settings = settings
        return fake

    monkeypatch.setattr("app.symposium.Symposium.open", open_fake)
    return fake


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_program(*arguments: str | Path) -> Ended:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(code, captured.out, captured.err)

    return run_program


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make rich believe that both streams are terminals of 100 columns."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "40")


@pytest.fixture
def answer() -> Answer:
    return make_answer()
