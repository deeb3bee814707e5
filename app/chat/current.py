"""The conversation that is on the page: kept in the session, named in the page's address, and found again by it."""

from __future__ import annotations

from dataclasses import dataclass, field

import streamlit as st

from app.chat.asking import Visit, answering, exchanges
from app.chat.desk import Asked
from app.chat.turn import Choice, Failed, Turn
from indexes.errors import SymposiaError

CONVERSATION, TURN = "conversation", "turn"  # parameters of the page's address
_KEY = "current"


@dataclass(slots=True)
class Current:
    """What is on the page.

    Parameters
    ----------
    owner
        Name of the principal whose it is.
    conversation
        Its id; ``None`` until its first answer is recorded.
    asked
        The latest question that was asked, while it is of interest.
    problem
        Why the conversation that the address names cannot be shown.
    """

    owner: str = ""
    conversation: str | None = None
    turns: list[Turn] = field(default_factory=list)
    asked: Asked | None = None
    problem: Failed | None = None

    @property
    def live(self) -> Turn | None:
        """The turn that is being answered."""
        return self.turns[-1] if self.turns and not self.turns[-1].done else None

    def catch_up(self, wait: float = 0.0) -> None:
        """Take note of what the worker did meanwhile; waits up to ``wait`` seconds for it to do something."""
        live = self.live
        if live is None or self.asked is None:
            return
        for at, step in self.asked.worker.steps(live.taken, wait):
            live.absorb(step, at)
        if live.stored is not None:
            self.conversation = live.stored.conversation


def current(visit: Visit) -> Current:
    """The conversation that the address names, else the one of this session, which the address then names."""
    shown: Current = st.session_state.setdefault(_KEY, Current(visit.principal.name))
    if shown.owner != visit.principal.name:  # somebody else logged in
        shown = st.session_state[_KEY] = Current(visit.principal.name)
    named, turn = st.query_params.get(CONVERSATION), st.query_params.get(TURN)
    if named and named != shown.conversation:
        shown = open_(visit, named)
    elif turn and not named and (shown.asked is None or shown.asked.id != turn):
        shown = _rejoin(visit, turn)
    shown.catch_up()
    name(shown)
    return shown


def open_(visit: Visit, conversation: str) -> Current:
    """Put a saved conversation on the page, with the question that is being answered in it."""
    shown = Current(visit.principal.name)
    running = [asked for asked in visit.opened.desk.running(visit.principal) if asked.place == conversation]
    try:
        stored = visit.conversations.turns(visit.principal, conversation)
    except SymposiaError as error:
        shown.problem = Failed(error.problem, error.fix)
    else:
        shown.conversation = conversation
        shown.turns = [Turn.reopened(number, each) for number, each in enumerate(stored, start=1)]
        kept = {each.id for each in stored}
        for asked in running[:1]:
            if asked.recorded is None or asked.recorded.turn.id not in kept:
                _attach(shown, asked)
    st.session_state[_KEY] = shown
    name(shown)
    return shown


def begin() -> None:
    """An empty page. What is being answered goes on, and is recorded when it ends."""
    shown: Current = st.session_state.get(_KEY, Current())
    st.session_state[_KEY] = Current(shown.owner)
    name(st.session_state[_KEY])


def ask(visit: Visit, question: str, choice: Choice) -> None:
    """Start answering a question on the page, unless there is none or another one is being answered."""
    shown = current(visit)
    if not question or shown.live is not None:
        return
    shown.problem = None
    work = answering(visit, shown.conversation, question, choice, exchanges(shown.turns))
    asked = visit.opened.desk.begin(visit.principal, shown.conversation, len(shown.turns) + 1, question, work)
    _attach(shown, asked)
    name(shown)


def name(shown: Current) -> None:
    """Make the page's address name what is shown, so that a reload finds it."""
    wanted = {CONVERSATION: shown.conversation or ""}
    wanted[TURN] = shown.asked.id if shown.asked is not None and not shown.conversation else ""
    for key, value in wanted.items():
        if value and st.query_params.get(key) != value:
            st.query_params[key] = value
        elif not value and key in st.query_params:
            del st.query_params[key]


def _rejoin(visit: Visit, turn: str) -> Current:
    """Go on with a first question that was asked before the page was loaded anew."""
    asked = visit.opened.desk.find(visit.principal, turn)
    if asked is not None and asked.place is not None:
        return open_(visit, asked.place)
    shown = st.session_state[_KEY] = Current(visit.principal.name)
    if asked is not None:
        _attach(shown, asked)
    return shown


def _attach(shown: Current, asked: Asked) -> None:
    number = len(shown.turns) + 1
    shown.asked = asked
    shown.turns.append(Turn(number, asked.question, asked.started, follows=bool(exchanges(shown.turns))))
