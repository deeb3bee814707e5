"""The conversation that is on the page: kept in the session, named in the page's address, and found again by it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import streamlit as st

from app.access.principal import Principal
from app.chat.asking import Visit, answering, exchanges
from app.chat.desk import Asked
from app.chat.telling import told
from app.chat.turn import Choice, Failed, Turn
from indexes.errors import SymposiaError

CONVERSATION, TURN = "conversation", "turn"  # parameters of the page's address
_KEY = "current"


@dataclass(slots=True)
class Current:
    """What is on the page.

    Streamlit starts drawing the page anew while an earlier drawing still waits for a word of the answer, so two threads may
    hold it at once: the session keeps what is over, and every drawing gets a copy with a turn of its own for the question
    that is being answered.

    Parameters
    ----------
    owner
        Whose it is; one who has come to see less, or more, begins anew.
    conversation
        Its id; ``None`` until its first answer is recorded.
    asked
        The latest question that was asked here; its turn follows ``turns`` while it is being answered.
    number
        The place of that turn, counted from 1.
    problem
        Why the conversation that the address names cannot be shown.
    """

    owner: Principal
    conversation: str | None = None
    turns: list[Turn] = field(default_factory=list)
    asked: Asked | None = None
    number: int = 0
    problem: Failed | None = None

    @property
    def live(self) -> Turn | None:
        """The turn that is being answered."""
        return self.turns[-1] if self.turns and not self.turns[-1].done else None

    def drawn(self) -> Current:
        """A copy for one drawing of the page; what is over by now is kept here as well."""
        if self.asked is None or len(self.turns) >= self.number:
            return replace(self, turns=list(self.turns))
        turns = self.turns[: self.number - 1]
        latest = Turn(self.number, self.asked.question, self.asked.started, follows=bool(exchanges(turns)))
        both = replace(self, turns=[*turns, latest])
        both.catch_up()
        if latest.done:
            self.turns, self.conversation = list(both.turns), both.conversation
        return both

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
    shown = _kept(visit).drawn()
    name(shown)
    return shown


def _kept(visit: Visit) -> Current:
    kept: Current = st.session_state.setdefault(_KEY, Current(visit.principal))
    if kept.owner != visit.principal:  # somebody else logged in, or may see something else now
        kept = st.session_state[_KEY] = Current(visit.principal)
    named, turn = st.query_params.get(CONVERSATION), st.query_params.get(TURN)
    if named and named != kept.drawn().conversation:
        return _opened(visit, named)
    if turn and not named and (kept.asked is None or kept.asked.id != turn):
        return _rejoined(visit, turn)
    return kept


def open_(visit: Visit, conversation: str) -> None:
    """Put a saved conversation on the page, with the question that is being answered in it."""
    name(_opened(visit, conversation).drawn())


def _opened(visit: Visit, conversation: str) -> Current:
    kept = Current(visit.principal)
    running = [asked for asked in visit.opened.desk.running(visit.principal) if asked.place == conversation]
    try:
        stored = visit.conversations.turns(visit.principal, conversation)
    except SymposiaError as error:
        kept.problem = Failed(error.problem, error.fix)
    else:
        kept.conversation = conversation
        kept.turns = [Turn.reopened(number, each) for number, each in enumerate(stored, start=1)]
        known = {each.id for each in stored}
        for asked in running[:1]:
            if asked.recorded is None or asked.recorded.turn.id not in known:
                _attach(kept, asked)
    st.session_state[_KEY] = kept
    return kept


def _rejoined(visit: Visit, turn: str) -> Current:
    """Go on with a first question that was asked before the page was loaded anew."""
    asked = visit.opened.desk.find(visit.principal, turn)
    if asked is not None and asked.place is not None:
        return _opened(visit, asked.place)
    kept = st.session_state[_KEY] = Current(visit.principal)
    if asked is not None:
        _attach(kept, asked)
    return kept


def begin() -> None:
    """An empty page. What is being answered goes on, and is recorded when it ends."""
    shown: Current | None = st.session_state.pop(_KEY, None)
    if shown is not None:
        name(Current(shown.owner))


def ask(visit: Visit, question: str, choice: Choice) -> None:
    """Start answering a question on the page, unless there is none or another one is being answered."""
    kept = _kept(visit)
    if not question or kept.drawn().live is not None:
        return
    with told():
        visit.check_still()
        _check_limit(visit)
        _begin_answering(visit, kept, question, choice)


def _check_limit(visit: Visit) -> None:
    """Raise a ``TooOftenError`` where this person has asked too often."""
    if visit.opened.limits is not None:
        visit.opened.limits.check(visit.principal.name)


def _begin_answering(visit: Visit, kept: Current, question: str, choice: Choice) -> None:
    kept.problem = None
    work = answering(visit, kept.conversation, question, choice, exchanges(kept.turns))
    _attach(kept, visit.opened.desk.begin(visit.principal, kept.conversation, question, work))
    name(kept)


def name(shown: Current) -> None:
    """Make the page's address name what is shown, so that a reload finds it."""
    wanted = {CONVERSATION: shown.conversation or ""}
    wanted[TURN] = shown.asked.id if shown.asked is not None and not shown.conversation else ""
    for key, value in wanted.items():
        if value and st.query_params.get(key) != value:
            st.query_params[key] = value
        elif not value and key in st.query_params:
            del st.query_params[key]


def _attach(kept: Current, asked: Asked) -> None:
    kept.asked, kept.number = asked, len(kept.turns) + 1
