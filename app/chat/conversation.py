"""The chat page: what was asked and answered so far, the answer in the making, and the box for the next question."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Literal

import streamlit as st

from app.chat import answers, cards, controls, route_panel
from app.chat.examples import examples
from app.chat.markup import element, failure, label, text
from app.chat.opening import Opened, obstacles, opened
from app.chat.turn import Choice, Failed, Loaded, Step, Turn
from app.chat.worker import Answering, Worker
from app.library import ExpertCard
from indexes.errors import SymposiaError

TURNS, WORKER, QUESTION = "turns", "worker", "question"
TICK = 0.2  # seconds; how soon the page reacts to a click while an answer is being written


def show() -> None:
    """Draw the page; while an answer is being written, follow it to its end."""
    try:
        symposium = opened()
    except SymposiaError as error:
        _blocked([Failed(error.problem, error.fix)])
        return
    experts = symposium.symposium.experts()
    turns: list[Turn] = st.session_state.setdefault(TURNS, [])
    controls.sidebar(experts, symposium.symposium.settings, on_new=_forget if turns else None)
    problems = obstacles(experts, symposium.failure)
    if problems and not turns:
        _blocked(problems)
        return
    first = st.empty()  # stays where it is once there are turns, so that the welcome is gone at the first question
    if not turns:
        with first.container():
            _welcome(symposium, experts)
    views = [View(turn) for turn in turns]
    live = next((view for view in views[-1:] if not view.turn.done), None)
    last = st.empty()
    wishes = str(controls.choice())
    if wishes and live is None:
        last.caption(f"Next question: {label(wishes)}.")
    st.chat_input("Ask a question", key=QUESTION, on_submit=_ask_typed, args=(symposium,), disabled=live is not None)
    if live is not None:
        _follow(live)


class View:
    """One turn on the page. ``draw`` may be called again and again; only what changed is sent to the browser.

    Parameters
    ----------
    turn
        What to draw.
    """

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self._sent: dict[str, str] = {}
        with st.chat_message("user", avatar=":material/person:"):
            st.html(element("div", "question", text(turn.question), dir="auto"))
        with st.chat_message("assistant", avatar=":material/account_balance:"):
            with st.container(horizontal=True, vertical_alignment="top", gap="small"):
                self._status = st.status(route_panel.headline(turn, time.monotonic()), state=self._state)
                self._stop = st.empty()
                if not turn.done:
                    self._stop.button("Stop", key="stop", icon=":material/stop_circle:", on_click=_stop)
            with self._status:
                self._panel = st.empty()
            self._failures, self._answer, self._sources = st.empty(), st.empty(), st.empty()
        self.draw()

    @property
    def _state(self) -> Literal["running", "complete", "error"]:
        if not self.turn.done:
            return "running"
        return "error" if self.turn.failure is not None else "complete"

    def draw(self) -> None:
        """Bring the page up to date with the turn."""
        turn = self.turn
        if turn.done:  # replaced at once: what is only left out of the next run may stay on the page
            self._stop.html(element("span", "gone", ""))
        self._status.update(label=route_panel.headline(turn, time.monotonic()), state=self._state)
        sources = cards.checked(turn.number, turn.answer) if turn.answer else cards.found(turn.number, turn.evidence)
        parts = {
            "panel": (self._panel, route_panel.panel(turn)),
            "failures": (self._failures, route_panel.failures(turn.route)),
            "sources": (self._sources, sources),
            "answer": (self._answer, answers.shown(turn)),
        }
        for name, (place, html) in parts.items():
            if html and self._sent.get(name) != html:
                place.html(html)
                self._sent[name] = html


def answering(symposium: Opened, question: str, choice: Choice) -> Answering:
    """What a worker runs for one question: wait for the models, then ``Symposium.stream``."""

    def run(cancelled: Callable[[], bool]) -> Iterator[Step]:
        failed = symposium.wait(cancelled)
        if failed is not None:
            yield failed
        elif not cancelled():
            yield Loaded()
            yield from symposium.symposium.stream(
                question, experts=choice.experts, forbid=choice.forbid, retrieval=choice.retrieval, cancelled=cancelled
            )

    return run


def _follow(view: View) -> None:
    worker: Worker = st.session_state[WORKER]
    while not view.turn.done:
        for at, step in worker.take(TICK):
            view.turn.absorb(step, at)
        view.draw()
    st.rerun()


def _ask(symposium: Opened, question: str) -> None:
    turns: list[Turn] = st.session_state.setdefault(TURNS, [])
    if not question or (turns and not turns[-1].done):
        return
    turns.append(Turn(len(turns) + 1, question, time.monotonic()))
    st.session_state[WORKER] = Worker(answering(symposium, question, controls.choice()))


def _ask_typed(symposium: Opened) -> None:
    _ask(symposium, st.session_state[QUESTION] or "")


def _stop() -> None:
    st.session_state[WORKER].stop()


def _forget() -> None:
    _stop()
    st.session_state[TURNS] = []


def _retry() -> None:
    opened.clear()


def _welcome(symposium: Opened, experts: list[ExpertCard]) -> None:
    able = [card.name for card in experts if not card.problem]
    count = "one expert" if len(able) == 1 else f"{len(able)} experts"
    st.html(
        element("h1", "welcome", f"Ask a panel of {count}")
        + element(
            "p",
            "lead",
            "A router chooses who is asked. Each sentence of the answer cites the passage that supports it, or is marked"
            " as unsupported; where the sources do not say, you are told so. Each question stands for itself.",
        )
        + element("p", "heading", "For example")
    )
    for i, question in enumerate(examples(able)):
        st.button(label(question), key=f"example-{i}", on_click=_ask, args=(symposium, question), width="stretch")
    _loading(symposium)


def _loading(symposium: Opened) -> None:
    if not symposium.loading:
        return

    @st.fragment(run_every=1.0)
    def note() -> None:
        if not symposium.loading:
            st.rerun()  # ends this polling, and shows what went wrong if anything did
        st.caption("The models are being loaded. You can ask already; the first answer waits for them.")

    note()


def _blocked(problems: list[Failed]) -> None:
    st.html(element("h1", "welcome", "Not ready yet") + "".join(failure(problem) for problem in problems))
    st.button("Try again", on_click=_retry, icon=":material/refresh:")
