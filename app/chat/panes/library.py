"""The library page: the experts' slices, adding files to them, their documents, and taking away from them."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.access.principal import Action
from app.chat.markup import failure, label
from app.chat.opening import unusable
from app.chat.panes import adding, documents, layout
from app.chat.panes.context import Context, context
from app.chat.turn import Failed
from app.library import ExpertCard
from indexes.errors import SymposiaError

EXPERT = "library-expert"
LEAD = "Each expert searches one slice: documents, cut into passages. Add files to a slice, look into it, or take something out."


def show() -> None:
    """Draw the page."""
    here = context()
    layout.head("Library", LEAD)
    layout.tell()
    cards = here.symposium.experts()
    adding.running(here)
    if not cards:
        layout.empty(
            "There are no documents yet.",
            "Add files below, or run `symposia demo` for three experts on real text."
            if here.may(Action.WRITE)
            else "Ask whoever runs this server to add some.",
        )
    else:
        st.html(_slices(here, cards))
    if here.may(Action.WRITE):
        adding.form(here, cards)
    if cards:
        _one(here, cards)


def _slices(here: Context, cards: list[ExpertCard]) -> str:
    header = ("expert", "what it knows", "documents", "passages", "size", "encoder", "changed")
    table = layout.table(header, [_row(here, card) for card in cards], stacked=True)
    problems = "".join(failure(unusable(card)) for card in cards if card.problem)
    return problems + table


def _row(here: Context, card: ExpertCard) -> list[layout.Cell]:
    if card.problem:
        blank = layout.number("–")
        return [layout.name(card.name), layout.words("⚠ cannot be asked"), blank, blank, blank, blank, blank]
    found = here.symposium.details(card.name)
    return [
        layout.name(card.name),
        layout.prose(card.description or "No description."),
        layout.number(f"{found.documents:,}"),
        layout.number(f"{found.passages:,}"),
        layout.number(layout.bytes_text(found.size)),
        layout.words(f"{found.encoder.model} ({found.encoder.dimension} dimensions)"),
        layout.words(layout.moment(found.updated)),
    ]


def _one(here: Context, cards: list[ExpertCard]) -> None:
    """The documents of one expert, and deleting the whole of it."""
    names = [card.name for card in cards]
    if st.session_state.get(EXPERT) not in names:
        st.session_state[EXPERT] = names[0]
    layout.heading("Documents")
    chosen = st.selectbox("Expert", names, key=EXPERT, label_visibility="collapsed")
    card = next(card for card in cards if card.name == chosen)
    if card.problem:
        st.html(failure(unusable(card)))
    elif here.may(Action.ASK):
        documents.browse(here, chosen)
    if here.may(Action.WRITE) and documents.open_document(chosen) is None:
        layout.confirmed(
            f"expert-{chosen}",
            f"Delete expert {chosen}",
            f"Expert {chosen!r} goes with its {layout.count(card.passages, 'passage')}, its adapter and its card.",
            "Delete all of it",
            partial(_remove, here, chosen),
            disabled=here.jobs.busy(chosen),
        )


def _remove(here: Context, expert: str) -> None:
    try:
        here.check_still()
        here.record(Action.WRITE, expert, partial(here.symposium.remove, expert))
    except SymposiaError as error:
        layout.told(Failed(error.problem, error.fix))
    else:
        st.toast(f"Expert {label(expert)} was deleted.")
