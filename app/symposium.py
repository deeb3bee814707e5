"""Symposium: the Python API. How a question goes through the rooms, which ``app.wiring`` puts together.

>>> from app import Symposium                                    # doctest: +SKIP
>>> with Symposium.open() as symposium:                          # doctest: +SKIP
...     print(symposium.ask("What does json.dumps do?"))
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from app.access.principal import LOCAL, Action, Principal
from app.curating import Cancelled, Curating
from app.telemetry.question import watched
from app.telemetry.trace import span
from generators.events import Answered, Event, Found, Routed, Understood
from indexes.errors import InputError, MissingModelError
from retrievers.question import check_question
from retrievers.router import Wishes

if TYPE_CHECKING:
    from app.calibrate import Calibration
    from app.calibrate_verdict import VerdictCalibration
    from app.explanation import Explanation
    from app.reencode import Reencoded
    from app.settings import Settings
    from generators.answer import Answer
    from generators.answerer import Answerer
    from generators.writing.follow_up import Exchange
    from indexes.encoders.base import Encoder
    from retrievers.evidence import Evidence, Route
    from retrievers.panel import Panel
    from retrievers.reencoding import Progress

Part = tuple["Panel", Callable[[], "Answerer"]]
AGAIN = 0.1  # seconds after which whoever waits to write looks whether the question was given up
PARTS = 64  # views of the panel that are kept, one for each set of experts that some principal sees


class Symposium(Curating):
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
    principal
        Who uses it; see ``seen_by``.
    """

    def __init__(
        self,
        settings: Settings,
        panel: Panel,
        make_answerer: Callable[[], Answerer],
        *,
        latin_only: bool = False,
        principal: Principal = LOCAL,
    ) -> None:
        super().__init__(settings, panel, principal)
        self._make_answerer = make_answerer
        self._answerer: tuple[Encoder, Answerer] | None = None
        self._serving.latin_only = latin_only
        self._writing = threading.Lock()
        self._part = lru_cache(PARTS)(self._make_part)
        self._owns_panel = True

    @classmethod
    def open(cls, settings: Settings | None = None) -> Symposium:
        """Wire up a system from settings (read from file and environment where none are given). Loads no model yet."""
        from app.settings import load_settings
        from app.wiring import wire

        return wire(cls, settings or load_settings().settings)

    def seen_by(self, principal: Principal) -> Symposium:
        """The system as somebody sees it who may not see and do everything: experts that it does not see do not exist.

        Whatever it returns and raises, a system without those experts would. Models, slices and the lock on writing are
        shared, so this costs next to nothing, and ``close`` on it releases nothing. What is calibrated on questions of all
        experts serves only those who see all of these; see ``retrievers.view``. Of one that is restricted already, it
        is a further restriction.
        """
        seen = self.principal.narrowed(principal)
        panel, make_answerer = self._part(seen.experts)
        other = Symposium(self.settings, panel, make_answerer, principal=seen)
        other._serving, other._writing = self._serving, self._writing
        other._part = self._part  # of the whole: what ``seen`` is shown is narrow already
        other._owns_panel = False
        return other

    def ask(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        before: Sequence[Exchange] = (),
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
        before
            The conversation before it, oldest first: a follow-up is answered as the question that it stands for, which is the
            answer's ``question``. See ``generators.writing.follow_up``.

        Raises
        ------
        SymposiaError
            A question that cannot be answered as asked, a missing model, a store that is in use.
        """
        for event in self.stream(question, experts=experts, forbid=forbid, retrieval=retrieval, before=before):
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
        before: Sequence[Exchange] = (),
        cancelled: Cancelled | None = None,
    ) -> Generator[Event, None, None]:
        """Like ``ask``, reporting the route, the evidence and each token as they come. See ``generators.events``.

        Others wait while an answer is written, so whoever may leave the loop early closes it:
        ``with contextlib.closing(symposium.stream(…)) as events``. ``cancelled`` is looked at before each token, and while
        another answer is written; once true, the events end.
        """
        self.principal.check(Action.ASK)
        events = self._stream(question, Wishes(tuple(experts), tuple(forbid), retrieval), before, cancelled)
        return watched(self.settings.telemetry, question, events)

    def _stream(
        self, question: str, wishes: Wishes, before: Sequence[Exchange], cancelled: Cancelled | None
    ) -> Generator[Event, None, None]:
        asked = check_question(question, latin_only=self._serving.latin_only)
        started = time.perf_counter()
        text = self._understood(asked, before, cancelled)
        if text != asked:
            yield Understood(text)
        seconds = {"understand": time.perf_counter() - started} if before else {}
        started = time.perf_counter()
        route, evidence = self.panel.retrieve(text, wishes)
        seconds["retrieve"] = time.perf_counter() - started
        yield from self._write(text, route, evidence, seconds, cancelled)

    def ask_many(
        self,
        questions: Sequence[str],
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
    ) -> list[Answer]:
        """Answers in the order of the questions; each expert searches all of its questions in one go."""
        self.principal.check(Action.ASK)
        texts = [check_question(question, latin_only=self._serving.latin_only) for question in questions]
        started = time.perf_counter()
        found = self.panel.retrieve_many(texts, Wishes(tuple(experts), tuple(forbid), retrieval))
        share = (time.perf_counter() - started) / max(1, len(texts))
        answers = []
        for text, (route, evidence) in zip(texts, found, strict=True):
            events = watched(
                self.settings.telemetry, text, self._write(text, route, evidence, {"retrieve": share}, None)
            )
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
        self.principal.check(Action.ASK)
        texts = [check_question(question, latin_only=self._serving.latin_only) for question in questions]
        return self.panel.retrieve_many(texts, Wishes(tuple(experts), tuple(forbid), retrieval), passages)

    def retrieve(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        before: Sequence[Exchange] = (),
        passages: int | None = None,
    ) -> tuple[Route, tuple[Evidence, ...]]:
        """The route and the evidence of a question, without an answer.

        No language model is needed; one that is there is asked what a follow-up means (``before``).
        """
        self.principal.check(Action.ASK)
        text = check_question(question, latin_only=self._serving.latin_only)
        text = self._understood(text, before)
        return self.panel.retrieve(text, Wishes(tuple(experts), tuple(forbid), retrieval), passages)

    def explain(self, question: str, *, forbid: Sequence[str] = ()) -> Explanation:
        """Which experts a question would be sent to, and why, without answering it; no language model is needed."""
        from app.explanation import Explanation, rules_of

        self.principal.check(Action.ASK)
        text = check_question(question, latin_only=self._serving.latin_only)
        route, _ = self.panel.retrieve(text, Wishes(forbid=tuple(forbid)), 1)
        return Explanation(text, route, rules_of(self.panel.router))

    async def aask(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        before: Sequence[Exchange] = (),
    ) -> Answer:
        """``ask`` in a worker thread."""
        return await asyncio.to_thread(
            self.ask, question, experts=experts, forbid=forbid, retrieval=retrieval, before=before
        )

    async def aretrieve(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        before: Sequence[Exchange] = (),
        passages: int | None = None,
    ) -> tuple[Route, tuple[Evidence, ...]]:
        """``retrieve`` in a worker thread."""
        return await asyncio.to_thread(
            self.retrieve,
            question,
            experts=experts,
            forbid=forbid,
            retrieval=retrieval,
            before=before,
            passages=passages,
        )

    async def astream(
        self,
        question: str,
        *,
        experts: Sequence[str] = (),
        forbid: Sequence[str] = (),
        retrieval: bool | None = None,
        before: Sequence[Exchange] = (),
    ) -> AsyncGenerator[Event, None]:
        """``stream`` for asynchronous callers; closing it, or being cancelled in it, stops the generation within one token.

        Who may leave the loop before its end closes it: ``async with contextlib.aclosing(symposium.astream(…)) as events``.
        When that is done nothing is written any more, and others may ask.
        """
        gone = threading.Event()
        events = self.stream(
            question, experts=experts, forbid=forbid, retrieval=retrieval, before=before, cancelled=gone.is_set
        )
        loop, step = asyncio.get_running_loop(), None

        def following() -> Event | None:
            return next(events, None)

        async def closed() -> None:
            if step is not None:
                await asyncio.wait([step])  # a generator that is at work cannot be closed
                step.exception()  # nobody is left to hear of it
            await asyncio.to_thread(events.close)

        try:
            while True:
                step = loop.run_in_executor(None, copy_context().run, following)
                if (event := await asyncio.shield(step)) is None:
                    return
                yield event
        finally:
            gone.set()
            await asyncio.shield(asyncio.create_task(closed()))

    def calibrate(self, sources: Sequence[str], coverage: float = 0.95, seed: int = 0) -> Calibration:
        """Fit the router on questions of known experts, ``EXPERT=PATH[:SPLIT]``; see ``app.calibrate``.

        It serves from the next ``open`` on.
        """
        self._check_whole()
        from app.calibrate import calibrate
        from app.models.writing import local_model

        models = self.settings.models
        asked = self.settings.retrieval.draft > 0 and not models.server
        with self.panel.changing():  # all of it with one encoder
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
        self._check_whole()
        from app.calibrate_verdict import calibrate_verdict

        with self.panel.changing():
            return calibrate_verdict(self, paths, risk, certainty, on_progress)

    def reset_calibration(self) -> None:
        """Let router and verdict follow the settings again, from the next ``open`` on."""
        self._check_whole()
        from generators.verdicts.calibrated_verdict import CalibratedVerdict
        from retrievers.calibrated_router import Calibrated

        Calibrated.remove(self.panel.folder)
        CalibratedVerdict.remove(self.panel.folder)

    def reencode(
        self,
        encoder: str = "",
        experts: Sequence[str] = (),
        *,
        swap: bool = True,
        commit: Callable[[], None] = lambda: None,
        keep_old: bool | None = None,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
        cancelled: Cancelled = lambda: False,
    ) -> Reencoded:
        """Encode all slices anew with another encoder, while they are asked as before, then swap all of them at once.

        What has been encoded is kept, however this ends: the same again goes on from there. See ``app.reencode``.

        Parameters
        ----------
        encoder
            As the settings would name it; by default the one that they name, for slices that were built with another.
        experts
            Only these now; nothing is swapped before all slices have been encoded.
        commit
            Writes the encoder where the next ``open`` reads it; called when everything is ready. Where it fails, all is as
            before.
        """
        self._check_whole()
        from app.models.resolve import languages_of
        from app.reencode import reencode, with_encoder

        settings = with_encoder(self.settings, encoder or self.settings.models.encoder)
        done = reencode(
            self.panel,
            settings,
            experts,
            swap=swap,
            commit=commit,
            keep_old=keep_old,
            on_progress=on_progress,
            cancelled=cancelled,
        )
        if done.outcome.swapped:
            self._serving.settings = settings
            self._serving.latin_only = languages_of(settings.models.encoder) == ("en",)
        return done

    @property
    def answerer(self) -> Answerer:
        """What writes and checks answers; a ``MissingModelError`` where its language model has not been fetched.

        Another one, with the same model, once the slices have been encoded anew: what it was told of the encoder is void.
        """
        encoder = self.panel.encoder
        if self._answerer is None or self._answerer[0] is not encoder:
            self._answerer = encoder, self._make_answerer()
        return self._answerer[1]

    def warm_up(self) -> None:
        """Load the experts, the encoder and the language model now rather than at the first question."""
        self.panel.open()
        self.panel.router  # noqa: B018 (reads or encodes the null expert's examples)
        self.panel.encoder.encode_questions(["What is this?"])  # an encoder loads with its first text
        self.answerer.model.load()

    def close(self) -> None:
        """Release the slices."""
        if self._owns_panel:
            self.panel.close()

    def _make_part(self, experts: frozenset[str] | None) -> Part:
        """The panel with these experts alone, and what answers from it."""
        if experts is None:
            return self.panel, lambda: self.answerer
        from app.wiring import answerer_of, view_of

        view = view_of(self.panel, experts)
        return view, lambda: answerer_of(view, self.answerer, self.settings)

    def _check_whole(self) -> None:
        """Raise an ``InputError`` unless the principal may do what concerns all experts."""
        self.principal.check(Action.ADMIN)
        if self.principal.experts is not None:
            raise InputError(
                f"{self.principal.name!r} sees certain experts, and this concerns all.",
                "Use a key that is not restricted to certain experts.",
            )

    def _understood(self, question: str, before: Sequence[Exchange], cancelled: Cancelled | None = None) -> str:
        """The question as one that stands for itself; without a language model, as well as words alone tell."""
        from generators.writing.dependent import dependent
        from generators.writing.follow_up import standalone

        if not before or not dependent(question):  # it need not wait for its turn
            return question

        try:
            model = self.answerer.model
        except MissingModelError:
            model = None
        with span("understand"), _held(self._writing, cancelled) as held:
            return standalone(model if held else None, question, before, cancelled)

    def _write(
        self,
        text: str,
        route: Route,
        evidence: tuple[Evidence, ...],
        seconds: dict[str, float],
        cancelled: Cancelled | None,
    ) -> Generator[Event, None, None]:
        """The events of one question from its route on."""
        yield Routed(route)
        yield Found(evidence)
        answered = None
        with _held(self._writing, cancelled) as held:
            for event in self.answerer.stream(text, route, evidence, cancelled) if held else ():
                if isinstance(event, Answered):
                    answered = Answered(replace(event.answer, seconds={**seconds, **event.answer.seconds}))
                else:
                    yield event
        if answered is not None:  # others may write by now: who has the answer may leave the loop
            yield answered

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _held(lock: threading.Lock, cancelled: Cancelled | None) -> Iterator[bool]:
    """Hold the lock; gives False, and does not hold it, where waiting for it was given up."""
    while not (held := lock.acquire(timeout=AGAIN)):
        if cancelled is not None and cancelled():
            break
    try:
        yield held
    finally:
        if held:
            lock.release()
