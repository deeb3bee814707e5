"""The conversation that is on the page: kept in the session, named in the page's address, and found again by it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import streamlit as st

from app.access.principal import Principal
from app.chat.asking import Visit, answering, exchanges
from app.chat.desk import Asked
from app.chat.telling import told
from app.chat.turn import Choice, Failed, Turn
from indexes.errors import InputError, SymposiaError

CONVERSATION, TURN = "conversation", "turn"  # parameters of the page's address
_KEY = "current"


@dataclass(slots=True)
class Current:
    """What is on the page.

    Parameters
    ----------
    owner
        Whose it is; one who has come to see less, or more, begins anew.
    conversation
        Its id; ``None`` until its first answer is recorded.
    asked
        The latest question that was asked, while it is of interest.
    problem
        Why the conversation that the address names cannot be shown.
    """

    owner: Principal
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
    shown: Current = st.session_state.setdefault(_KEY, Current(visit.principal))
    if shown.owner != visit.principal:  # somebody else logged in, or may see something else now
        shown = st.session_state[_KEY] = Current(visit.principal)
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
    shown = Current(visit.principal)
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
    shown: Current | None = st.session_state.pop(_KEY, None)
    if shown is not None:
        name(Current(shown.owner))


def ask(visit: Visit, question: str, choice: Choice) -> None:
    """Start answering a question on the page, unless there is none or another one is being answered."""
    shown = current(visit)
    if not question or shown.live is not None:
        return
    with told():
        _check_limit(visit)
        _begin_answering(visit, shown, question, choice)


def _check_limit(visit: Visit) -> None:
    """Raise an ``InputError`` where this person has asked too often."""
    limits = visit.opened.limits
    wait = 0.0 if limits is None else limits.take(visit.principal.name)
    if wait > 0:
        raise InputError("You have asked many questions in a short time.", f"Try again in {math.ceil(wait)} s.")


def _begin_answering(visit: Visit, shown: Current, question: str, choice: Choice) -> None:
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
    shown = st.session_state[_KEY] = Current(visit.principal)
    if asked is not None:
        _attach(shown, asked)
    return shown


def _attach(shown: Current, asked: Asked) -> None:
    number = len(shown.turns) + 1
    shown.asked = asked
    shown.turns.append(Turn(number, asked.question, asked.started, follows=bool(exchanges(shown.turns))))
