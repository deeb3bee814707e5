"""The chat page: what was asked and answered so far, the answer in the making, and the box for the next question."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.chat import controls, current
from app.chat.asking import Visit
from app.chat.current import Current
from app.chat.examples import examples
from app.chat.judging import judging
from app.chat.markup import element, failure, label
from app.chat.opening import Opened, obstacles, opened
from app.chat.panes.context import retry
from app.chat.saved import saved
from app.chat.turn import Failed
from app.chat.view import View
from app.chat.visitor import claims, leave, visitor
from app.library import ExpertCard
from indexes.errors import SymposiaError

QUESTION = "question"
TICK = 0.2  # seconds; how soon the page reacts to a click while an answer is being written


def show() -> None:
    """Draw the page; while an answer is being written, follow it to its end."""
    try:
        shared = opened()
        visit = _visit(shared)
        experts = visit.symposium.experts()
        shown = current.current(visit)
        _sidebar(visit, shown, experts)
    except SymposiaError as error:
        _blocked([Failed(error.problem, error.fix)])
        return
    problems = obstacles(experts, shared.failure)
    if problems and not shown.turns:
        _blocked(problems)
        return
    first = st.empty()  # stays where it is once there are turns, so that the welcome is gone at the first question
    if not shown.turns:
        with first.container():
            _welcome(visit, shown, experts)
    views = [View(turn, partial(_stop, shown)) for turn in shown.turns]
    for view in views:
        with view.below:
            judging(visit, view.turn)
    _next(visit, shown)
    if shown.live is not None:
        _follow(shown, views[-1])


def _visit(shared: Opened) -> Visit:
    principal = visitor(shared.symposium.settings)
    return Visit(shared, principal, shared.symposium.seen_by(principal), claims(shared.symposium.settings))


def _sidebar(visit: Visit, shown: Current, experts: list[ExpertCard]) -> None:
    with st.sidebar:
        saved(visit, shown)
        controls.controls(experts, visit.symposium.settings)
        leave(visit.symposium.settings)


def _next(visit: Visit, shown: Current) -> None:
    """The box for the next question, and what was decided for it by hand."""
    busy, last = shown.live is not None, st.empty()
    wishes = str(controls.choice())
    if wishes and not busy:
        last.caption(f"Next question: {label(wishes)}.")
    hint = "Ask a follow-up, or something else" if shown.turns else "Ask a question"
    st.chat_input(hint, key=QUESTION, on_submit=_ask_typed, args=(visit,), disabled=busy)


def _follow(shown: Current, view: View) -> None:
    while not view.turn.done:
        shown.catch_up(TICK)
        view.draw()
    st.rerun()


def _ask(visit: Visit, question: str) -> None:
    current.ask(visit, question, controls.choice())


def _ask_typed(visit: Visit) -> None:
    _ask(visit, st.session_state[QUESTION] or "")


def _stop(shown: Current) -> None:
    if shown.asked is not None:
        shown.asked.worker.stop()


def _welcome(visit: Visit, shown: Current, experts: list[ExpertCard]) -> None:
    able = [card.name for card in experts if not card.problem]
    count = "one expert" if len(able) == 1 else f"{len(able)} experts"
    gone = failure(shown.problem) if shown.problem is not None else ""
    st.html(
        gone
        + element("h1", "welcome", f"Ask a panel of {count}")
        + element(
            "p",
            "lead",
            "A router chooses who is asked. Each sentence of the answer cites the passage that supports it, or is marked"
            " as unsupported; where the sources do not say, you are told so.",
        )
        + element("p", "heading", "For example")
    )
    for i, question in enumerate(examples(able)):
        st.button(label(question), key=f"example-{i}", on_click=_ask, args=(visit, question), width="stretch")
    _loading(visit.opened)


def _loading(shared: Opened) -> None:
    if not shared.loading:
        return

    @st.fragment(run_every=1.0)
    def note() -> None:
        if not shared.loading:
            st.rerun()  # ends this polling, and shows what went wrong if anything did
        st.caption("The models are being loaded. You can ask already; the first answer waits for them.")

    note()


def _blocked(problems: list[Failed]) -> None:
    st.html(element("h1", "welcome", "Not ready yet") + "".join(failure(problem) for problem in problems))
    st.button("Try again", on_click=retry, icon=":material/refresh:")
