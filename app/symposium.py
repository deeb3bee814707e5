"""Symposium: the Python API, and the only place that wires the rooms together. Read it from top to bottom.

>>> from app import Symposium                                    # doctest: +SKIP
>>> with Symposium.open() as symposium:                          # doctest: +SKIP
...     print(symposium.ask("What does json.dumps do?"))
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from app.library import AddProgress, AddReport, ExpertCard, Library
from generators.events import Answered, Event, Found, Routed
from retrievers.question import check_question
from retrievers.router import Wishes

if TYPE_CHECKING:
    from app.calibrate import Calibration
    from app.calibrate_verdict import VerdictCalibration
    from app.settings import Settings
    from app.train import Request
    from generators.answer import Answer
    from generators.answerer import Answerer
    from indexes.readers.problem import Problem
    from retrievers.evidence import Evidence, Route
    from retrievers.panel import Panel
    from retrievers.training.card import Card

Cancelled = Callable[[], bool]


class Symposium:
    """A panel of experts and a generator, ready to be asked. Safe to use from several threads: answers are written in turn.

    Parameters
    ----------
    settings
        As loaded.
    panel
        The experts.
    make_answerer
        Makes what writes and checks answers, at the first question that needs it.
    latin_only
        Whether the encoder reads Latin script only; see ``check_question``.
    """

    def __init__(
        self, settings: Settings, panel: Panel, make_answerer: Callable[[], Answerer], *, latin_only: bool = False
    ) -> None:
        self.settings = settings
        self.panel = panel
        self.library = Library(panel, settings)
        self._make_answerer = make_answerer
        self._latin_only = latin_only
        self._writing = threading.Lock()

    @classmethod
    def open(cls, settings: Settings | None = None) -> Symposium:
        """Wire up a system from settings (read from file and environment where none are given). Loads no model yet."""
        from app.settings import load_settings
        from app.wiring import wire

        return wire(cls, settings or load_settings().settings)

    def ask(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
    ) -> Answer:
        """Answer one question.

        Parameters
        ----------
        question
            In words.
        experts
            Ask these experts instead of those that the router would choose.
        forbid
            Experts that must not be asked.
        retrieval
            True to retrieve, False to answer from memory, ``None`` to let the gate decide.

        Raises
        ------
        SymposiaError
            A question that cannot be answered as asked, a missing model, a store that is in use.
        """
        for event in self.stream(question, experts=experts, forbid=forbid, retrieval=retrieval):
            if isinstance(event, Answered):
                return event.answer
        raise RuntimeError("A stream that nobody cancelled ended without an answer.")

    def stream(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        cancelled: Cancelled | None = None,
    ) -> Iterator[Event]:
        """Like ``ask``, reporting the route, the evidence and each token as they come. See ``generators.events``."""
        text = check_question(question, latin_only=self._latin_only)
        started = time.perf_counter()
        route, evidence = self.panel.retrieve(text, Wishes(tuple(experts), tuple(forbid), retrieval))
        yield from self._write(text, route, evidence, time.perf_counter() - started, cancelled)

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
    ) -> list[Answer]:
        """Answers in the order of the questions; each expert searches all of its questions in one go."""
        texts = [check_question(question, latin_only=self._latin_only) for question in questions]
        started = time.perf_counter()
        found = self.panel.retrieve_many(texts, Wishes(tuple(experts), tuple(forbid), retrieval))
        share = (time.perf_counter() - started) / max(1, len(texts))
        answers = []
        for text, (route, evidence) in zip(texts, found, strict=True):
            events = self._write(text, route, evidence, share, None)
            answers += [event.answer for event in events if isinstance(event, Answered)]
        return answers

    def retrieve_many(
        self,
        questions: Sequence[str],
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        passages: int | None = None,
    ) -> list[tuple[Route, tuple[Evidence, ...]]]:
        """Like ``retrieve``, for several questions that are encoded, adapted and searched together."""
        texts = [check_question(question, latin_only=self._latin_only) for question in questions]
        return self.panel.retrieve_many(texts, Wishes(tuple(experts), tuple(forbid), retrieval), passages)

    def retrieve(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        passages: int | None = None,
    ) -> tuple[Route, tuple[Evidence, ...]]:
        """The route and the evidence of a question, without an answer. No language model is needed."""
        text = check_question(question, latin_only=self._latin_only)
        return self.panel.retrieve(text, Wishes(tuple(experts), tuple(forbid), retrieval), passages)

    async def aask(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
    ) -> Answer:
        """``ask`` in a worker thread."""
        return await asyncio.to_thread(self.ask, question, experts=experts, forbid=forbid, retrieval=retrieval)

    async def aretrieve(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        passages: int | None = None,
    ) -> tuple[Route, tuple[Evidence, ...]]:
        """``retrieve`` in a worker thread."""
        return await asyncio.to_thread(
            self.retrieve, question, experts=experts, forbid=forbid, retrieval=retrieval, passages=passages
        )

    async def astream(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
    ) -> AsyncIterator[Event]:
        """``stream`` for asynchronous callers; leaving the loop stops the generation within one token."""
        gone = threading.Event()
        events = self.stream(question, experts=experts, forbid=forbid, retrieval=retrieval, cancelled=gone.is_set)
        try:
            while (event := await asyncio.to_thread(next, events, None)) is not None:
                yield event
        finally:
            gone.set()

    def add(
        self,
        paths: Sequence[Path],
        expert: str,
        description: str = "",
        *,
        on_progress: Callable[[AddProgress], None] | None = None,
        on_problem: Callable[[Problem], None] | None = None,
    ) -> AddReport:
        """Read files and folders into an expert's slice, and seat the expert on the panel. See ``Library.add``."""
        return self.library.add_paths(paths, expert, description, on_progress=on_progress, on_problem=on_problem)

    def calibrate(self, sources: Sequence[str], coverage: float = 0.95, seed: int = 0) -> Calibration:
        """Fit the router on questions of known experts, ``EXPERT=PATH[:SPLIT]``; see ``app.calibrate``.

        It serves from the next ``open`` on.
        """
        from app.calibrate import calibrate
        from app.models.writing import local_model

        models = self.settings.models
        asked = self.settings.retrieval.draft > 0 and not models.server
        return calibrate(self.panel, sources, coverage, seed, (lambda: local_model(models)) if asked else None)

    def calibrate_verdict(
        self,
        paths: Sequence[Path],
        risk: float = 0.1,
        certainty: float = 0.9,
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> VerdictCalibration:
        """Find the confidence above which at most ``risk`` of the answers are wrong; see ``app.calibrate_verdict``.

        It serves from the next ``open`` on.
        """
        from app.calibrate_verdict import calibrate_verdict

        return calibrate_verdict(self, paths, risk, certainty, on_progress)

    def reset_calibration(self) -> None:
        """Let router and verdict follow the settings again, from the next ``open`` on."""
        from generators.verdicts.calibrated_verdict import CalibratedVerdict
        from retrievers.calibrated_router import Calibrated

        Calibrated.remove(self.panel.folder)
        CalibratedVerdict.remove(self.panel.folder)

    def experts(self) -> list[ExpertCard]:
        """All experts by name, those with problems included."""
        return self.library.cards()

    def train(
        self,
        request: Request,
        *,
        on_progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
        on_note: Callable[[str], None] = lambda _text: None,
    ) -> Card:
        """Train an adapter for one expert; it is given to the expert if it is better on dev than none.

        Parameters
        ----------
        request
            Which expert, on what data: ``Request("birds", data=("pairs.jsonl",))``.
        on_progress
            Called with what is being done, steps done, and steps at most.
        on_note
            Called with what people should know meanwhile.

        Raises
        ------
        SymposiaError
            An unknown expert, unreadable data, or too little of it.
        """
        from app.models.resolve import resolve
        from app.train import train

        models = self.settings.models
        folder = resolve(models.encoder, "encoder", models.folder) if "lora" in request.wanted else None
        return train(self.panel, request, model_folder=folder, report=on_progress, note=on_note)

    def remove(self, expert: str) -> None:
        """Withdraw an expert and delete its slice. The others are untouched."""
        self.panel.open()
        self.panel.withdraw(expert)

    @cached_property
    def answerer(self) -> Answerer:
        """What writes and checks answers; a ``MissingModelError`` where its language model has not been fetched."""
        return self._make_answerer()

    def warm_up(self) -> None:
        """Load the experts, the encoder and the language model now rather than at the first question."""
        self.panel.open()
        self.panel.router  # noqa: B018 (reads or encodes the null expert's examples)
        self.panel.encoder.encode_questions(["What is this?"])  # an encoder loads with its first text
        self.answerer.model.load()

    def close(self) -> None:
        """Release the slices."""
        self.panel.close()

    def _write(
        self,
        text: str,
        route: Route,
        evidence: tuple[Evidence, ...],
        retrieving: float,
        cancelled: Cancelled | None,
    ) -> Iterator[Event]:
        """The events of one question from its route on."""
        yield Routed(route)
        yield Found(evidence)
        with self._writing:
            for event in self.answerer.stream(text, route, evidence, cancelled):
                if isinstance(event, Answered):
                    seconds = {"retrieve": retrieving, **event.answer.seconds}
                    yield Answered(replace(event.answer, seconds=seconds))
                else:
                    yield event

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
