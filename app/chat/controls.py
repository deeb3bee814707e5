"""The lower part of the sidebar: who is on the panel, and what the person decides in place of the router."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.chat.markup import element, text
from app.chat.opening import unusable
from app.chat.turn import Choice
from app.library import ExpertCard
from app.settings import Settings

ONLY, NEVER, SEARCH, RESETS = "only", "never", "search", "resets"
SEARCHING = {"Automatic": None, "Always": True, "Never": False}


def controls(cards: Sequence[ExpertCard], settings: Settings) -> None:
    """Draw the experts and the controls; ``choice`` reads what was chosen there."""
    names = [card.name for card in cards if not card.problem]
    if names:
        _wishes(names)
    if cards:
        st.html(roster(cards))
    st.html(element("p", "about", text(_about(settings))))


def choice() -> Choice:
    """What the sidebar's controls say now."""
    state = st.session_state
    retrieval = _searching()
    only, never = tuple(state.get(ONLY, ())), tuple(state.get(NEVER, ()))
    return Choice(() if retrieval is False else only, () if retrieval is False else never, retrieval)


def reset() -> None:
    """Leave everything to the router again."""
    state = st.session_state
    state[ONLY], state[NEVER] = [], []
    state[RESETS] = state.get(RESETS, 0) + 1


def _search_key() -> str:
    """A new one after each reset: a control with a default cannot be set otherwise."""
    resets = st.session_state.get(RESETS, 0)
    return f"{SEARCH}-{resets}" if resets else SEARCH


def _searching() -> bool | None:
    return SEARCHING[st.session_state.get(_search_key()) or "Automatic"]


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
    off = _searching() is False
    options = list(SEARCHING)
    st.segmented_control("Search the sources", options, default=options[0], key=_search_key(), required=True)
    only = [name for name in names if name not in state.get(NEVER, ())]
    never = [name for name in names if name not in state.get(ONLY, ())]
    st.multiselect("Ask only", only, key=ONLY, placeholder="The router decides", disabled=off)
    st.multiselect("Never ask", never, key=NEVER, placeholder="Nobody is left out", disabled=off)
    if str(choice()):
        st.button("Back to automatic", on_click=reset, icon=":material/restart_alt:", width="stretch")


def _about(settings: Settings) -> str:
    models = settings.models
    return f"{models.writer}, {settings.generation.policy} · {models.encoder} · preset {settings.preset}"
