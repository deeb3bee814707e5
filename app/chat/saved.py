"""The saved conversations in the sidebar: open one, begin a new one; rename, export or delete the one on the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app.chat import current
from app.chat.asking import Visit
from app.chat.current import Current
from app.chat.desk import Asked
from app.chat.markup import element, label, text
from app.chat.telling import told

if TYPE_CHECKING:
    from app.conversations.store import Conversation

FEW = 6  # conversations that are listed before all are asked for
TITLE = 80  # characters of a name on a button; the style sheet cuts what does not fit
_ALL, _DELETING = "all-conversations", "deleting"


def saved(visit: Visit, shown: Current) -> None:
    """Draw the list, newest first, with what is still without a name above it."""
    st.button(
        "New conversation",
        key="new",
        on_click=current.begin,
        disabled=not shown.turns and shown.problem is None,
        icon=":material/edit_square:",
        width="stretch",
    )
    st.html(element("p", "heading", "Conversations"))
    running = visit.opened.desk.running(visit.principal)
    _unnamed(running, shown)
    listed = visit.conversations.list(visit.principal)
    if not listed and not running:
        st.html(element("p", "about", "None yet. Ask something: questions and answers are kept here."))
    few = listed if st.session_state.get(_ALL) else listed[:FEW]
    few = few + [each for each in listed[len(few) :] if each.id == shown.conversation]
    busy = {asked.place for asked in running}
    for each in few:
        if each.id == shown.conversation:
            _opened(visit, each, each.id in busy)
        else:
            _row(f"open-{each.id}", each.title, each.id in busy, partial(_open, visit, each.id))
    if len(few) < len(listed):
        st.button(f"All {len(listed)} conversations", key="show-all", type="tertiary", on_click=_show_all)


def file_name(title: str) -> str:
    """A file name made of a title.

    >>> file_name("Which mountain is the highest? (Tanzania)"), file_name("¿?")
    ('which-mountain-is-the-highest-tanzania.md', 'conversation.md')
    """
    words = "-".join(re.findall(r"\w+", title.lower()))[:60].strip("-")
    return f"{words or 'conversation'}.md"


def _unnamed(running: Sequence[Asked], shown: Current) -> None:
    """First questions that are being answered: their conversations are not kept yet."""
    for asked in running:
        if asked.place is None and asked is shown.asked:
            title = asked.question
            st.html(element("p", "current", text(title), dir="auto", aria_current="page", title=title))
        elif asked.place is None:
            _row(f"rejoin-{asked.id}", asked.question, True, partial(_rejoin, asked.id))


def _opened(visit: Visit, each: Conversation, busy: bool) -> None:
    """The conversation on the page, and what may be done with it."""
    with st.container(horizontal=True, gap=None, vertical_alignment="center", key="opened"):
        st.html(element("p", "current", text(each.title), dir="auto", aria_current="page", title=each.title))
        with st.popover("More", type="tertiary"):
            key = f"rename-{each.id}"
            st.session_state.setdefault(key, each.title)
            st.text_input(
                "Name of the conversation", key=key, max_chars=200, on_change=_rename, args=(visit, each, key)
            )
            st.download_button(
                "Download as Markdown",
                data=partial(_markdown, visit, each.id),
                file_name=file_name(each.title),
                mime="text/markdown",
                icon=":material/download:",
                on_click="ignore",
                width="stretch",
                key="download",
            )
            _deletion(visit, each, busy)


def _deletion(visit: Visit, each: Conversation, busy: bool) -> None:
    """A button, and once it is pressed the question whether it was meant.

    This is no dialog: a click in one would wait for the end of what is being answered.
    """
    if st.session_state.get(_DELETING) != each.id:
        arguments = (each.id,)
        icon = ":material/delete:"
        st.button("Delete", key="delete", icon=icon, width="stretch", disabled=busy, on_click=_delete, args=arguments)
        return
    st.html(element("p", "about", "Delete this conversation? It cannot be brought back.", role="alert"))
    st.button("Delete for good", key="really", type="primary", width="stretch", on_click=_really, args=(visit, each.id))
    st.button("Keep it", key="keep", width="stretch", on_click=_delete, args=("",))


def _row(key: str, title: str, busy: bool, on_click: Callable[[], None]) -> None:
    icon = ":material/hourglass_top:" if busy else None
    st.button(label(title[:TITLE]), key=key, type="tertiary", icon=icon, width="stretch", on_click=on_click)


def _open(visit: Visit, conversation: str) -> None:
    st.session_state.pop(_DELETING, None)
    with told():
        visit.check_still()
        current.open_(visit, conversation)


def _markdown(visit: Visit, conversation: str) -> str:
    visit.check_still()
    return visit.conversations.markdown(visit.principal, conversation)


def _rejoin(turn: str) -> None:
    current.begin()
    st.query_params[current.TURN] = turn


def _show_all() -> None:
    st.session_state[_ALL] = True


def _rename(visit: Visit, each: Conversation, key: str) -> None:
    title = (st.session_state[key] or "").strip()
    if not title:
        st.session_state[key] = each.title
        return
    with told():
        visit.check_still()
        visit.conversations.rename(visit.principal, each.id, title)


def _delete(conversation: str) -> None:
    st.session_state[_DELETING] = conversation


def _really(visit: Visit, conversation: str) -> None:
    st.session_state.pop(_DELETING, None)
    with told():
        visit.check_still()
        visit.conversations.delete(visit.principal, conversation)
    current.begin()
