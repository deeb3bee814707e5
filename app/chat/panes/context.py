"""Who looks at a page, what exists for them, and what they may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st

from app.access.audited import audited
from app.access.open import audit_of, check_still
from app.access.principal import LOCAL, NOBODY, Action, Principal
from app.chat.markup import element, failure
from app.chat.opening import opened
from app.chat.panes.jobs import Jobs
from app.chat.turn import Failed
from app.chat.visitor import claims, leave, visitor
from app.conversations.store import Conversations
from app.symposium import Symposium
from indexes.errors import SymposiaError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Context:
    """What a page works with.

    Parameters
    ----------
    symposium
        As the principal sees it.
    jobs
        What runs in the background, of everybody.
    conversations
        Where questions, answers and thumbs are kept.
    user
        What the login says of whoever looks.
    """

    symposium: Symposium
    principal: Principal
    jobs: Jobs
    conversations: Conversations
    user: Mapping[str, Any] = field(default_factory=dict)

    def check_still(self) -> None:
        """Raise an ``InputError`` where it is not any more who it was when the page was drawn: asked at each click."""
        check_still(self.symposium.settings, self.principal, self.user)

    def may(self, action: Action) -> bool:
        """Whether the principal may do this."""
        return action in self.principal.actions

    def record(self, action: Action, expert: str, do: Callable[[], T]) -> T:
        """Do something, and note in the audit log, where the settings ask for one, who did it and how it ended."""
        with audited(audit_of(self.symposium.settings), self.principal, action, [expert]):
            return do()

    @property
    def whole(self) -> bool:
        """Whether the principal may see what concerns all experts: measures, settings, files of the server."""
        return sees_whole(self.principal)


def context() -> Context:
    """What there is for this session; raises the ``SymposiaError`` that keeps the symposium from being opened."""
    shared = opened()
    principal = visitor(shared.symposium.settings)
    seen, user = shared.symposium.seen_by(principal), claims(shared.symposium.settings)
    return Context(seen, principal, jobs(), shared.conversations, user)


def principal() -> Principal:
    """Who looks at the page, even where the symposium cannot be opened."""
    try:
        return visitor(opened().symposium.settings)
    except SymposiaError:
        return _without_symposium()


def sees_whole(principal: Principal) -> bool:
    """Whether somebody sees all experts and may administer them."""
    return principal.experts is None and Action.ADMIN in principal.actions


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The jobs of this process."""
    return Jobs()


def drawn(draw: Callable[[], None]) -> None:
    """Draw a page; an error meant for people becomes a card that says what to do."""
    try:
        draw()
        with st.sidebar:
            leave(opened().symposium.settings)
    except SymposiaError as error:
        st.html(failure(Failed(error.problem, error.fix)))
        st.button("Try again", key="try-again", on_click=retry, icon=":material/refresh:")


def retry() -> None:
    """Open everything anew, for those whom it concerns; for anybody else the page is drawn again, which is enough."""
    if sees_whole(principal()):
        opened.clear()


def refused(what: str) -> None:
    """Say that the principal may not see this page."""
    st.html(
        element("h1", "page-title", what)
        + failure(Failed("You may not see this page.", "Ask whoever runs this server for the right to administer it."))
    )


def _without_symposium() -> Principal:
    from app.settings import load_settings

    try:
        settings = load_settings().settings
    except SymposiaError:
        return LOCAL  # the pages can then show that error and nothing else
    try:
        return visitor(settings)
    except SymposiaError:  # who may come in cannot be read: nobody may
        return NOBODY
