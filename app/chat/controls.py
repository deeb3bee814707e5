"""The sidebar: who is on the panel, and what the person decides in place of the router."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from app.chat.markup import element, text
from app.chat.opening import unusable
from app.chat.turn import Choice
from app.library import ExpertCard
from app.settings import Settings

ONLY, NEVER, SEARCH = "only", "never", "search"
SEARCHING = {"Automatic": None, "Always": True, "Never": False}


def sidebar(cards: Sequence[ExpertCard], settings: Settings, on_new: Callable[[], None] | None) -> None:
    """Draw the sidebar; ``choice`` reads what was chosen there.

    Parameters
    ----------
    cards
        The experts.
    settings
        Of the symposium.
    on_new
        Begins a new conversation; ``None`` where there is none to end.
    """
    with st.sidebar:
        st.html(element("p", "brand", "Symposia"))
        st.button(
            "New conversation",
            on_click=on_new,
            disabled=on_new is None,
            icon=":material/edit_square:",
            width="stretch",
        )
        if cards:
            st.html(roster(cards))
        names = [card.name for card in cards if not card.problem]
        if names:
            _wishes(names)
        st.html(element("p", "about", text(_about(settings))))


def choice() -> Choice:
    """What the sidebar's controls say now."""
    state = st.session_state
    retrieval = SEARCHING[state.get(SEARCH) or "Automatic"]
    only, never = tuple(state.get(ONLY, ())), tuple(state.get(NEVER, ()))
    return Choice(() if retrieval is False else only, () if retrieval is False else never, retrieval)


def reset() -> None:
    """Leave everything to the router again."""
    st.session_state[ONLY], st.session_state[NEVER], st.session_state[SEARCH] = [], [], "Automatic"


def roster(cards: Sequence[ExpertCard]) -> str:
    """The experts with what each knows; those that cannot be asked say why."""
    return element("p", "heading", "Experts") + "".join(_expert(card) for card in cards)


def _expert(card: ExpertCard) -> str:
    size = f"{card.passages:,} passages" if not card.problem else "⚠ cannot be asked"
    head = element("span", "name", text(card.name)) + element("span", "meta", size)
    failed = unusable(card)
    body = f"{failed.problem} {failed.fix}" if card.problem else card.description or "No description."
    return element("details", "expert", element("summary", "line", head) + element("p", "known", text(body)))


def _wishes(names: list[str]) -> None:
    st.html(element("p", "heading", "From the next question on"))
    state = st.session_state
    off = SEARCHING[state.get(SEARCH) or "Automatic"] is False
    st.segmented_control("Search the sources", list(SEARCHING), default="Automatic", key=SEARCH, required=True)
    only = [name for name in names if name not in state.get(NEVER, ())]
    never = [name for name in names if name not in state.get(ONLY, ())]
    st.multiselect("Ask only", only, key=ONLY, placeholder="The router decides", disabled=off)
    st.multiselect("Never ask", never, key=NEVER, placeholder="Nobody is left out", disabled=off)
    if str(choice()):
        st.button("Back to automatic", on_click=reset, icon=":material/restart_alt:", width="stretch")


def _about(settings: Settings) -> str:
    models = settings.models
    return f"{models.writer}, {settings.generation.policy} · {models.encoder} · preset {settings.preset}"
