"""The documents of an expert: a list that can be searched, and one of them opened with all of its passages."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.access.principal import Action
from app.chat.markup import element, label, text
from app.chat.panes import layout
from app.chat.panes.context import Context
from app.chat.turn import Failed
from indexes.catalogue import DocumentCard
from indexes.errors import SymposiaError
from indexes.passage import Passage

PER_PAGE = 20
OPENED = "opened-document"  # expert and id of the document on the page


def browse(here: Context, expert: str) -> None:
    """The list, or the document that was opened from it."""
    opened = open_document(expert)
    if opened is not None:
        _document(here, expert, opened)
    else:
        _list(here, expert)


def open_document(expert: str) -> str | None:
    """Id of the document of that expert that is on the page."""
    opened = st.session_state.get(OPENED)
    return opened[1] if opened is not None and opened[0] == expert else None


def _list(here: Context, expert: str) -> None:
    like = st.text_input("Search by title, file or key", key=f"like-{expert}", icon=":material/search:")
    total, _ = here.symposium.documents(expert, 0, 0, like)
    if not total:
        layout.empty(f"No document's title, file or key contains {like!r}.", "Search for a part of a word.")
        return
    pages = -(-total // PER_PAGE)
    place = st.container(key="documents")
    page = min(st.pagination(pages, key=f"page-{expert}-{like}") if pages > 1 else 1, pages)
    _, cards = here.symposium.documents(expert, (page - 1) * PER_PAGE, PER_PAGE, like)
    with place:
        st.caption(
            f"{layout.count(total, 'document')}{', ' if like else ''}{label(f'found by “{like}”') if like else ''}"
        )
        for number, card in enumerate(cards):
            st.button(
                f"{label(_title(card))}  :gray[{label(_facts(card))}]",
                key=f"document-{number}",
                type="tertiary",
                width="stretch",
                on_click=_open,
                args=(expert, card.id),
            )


def _document(here: Context, expert: str, document_id: str) -> None:
    st.button("All documents", key="all-documents", icon=":material/arrow_back:", type="tertiary", on_click=_close)
    try:
        passages = here.symposium.passages(expert, document_id)
    except SymposiaError as error:
        layout.empty(error.problem, error.fix)
        return
    first = passages[0]
    layout.heading(first.title or first.source or "Untitled")
    places = [
        ("file", first.source),
        ("key", first.key),
        ("date", first.date),
        ("passages", f"{len(passages):,}"),
        *sorted(first.metadata.items()),
        ("id", document_id),
    ]
    st.html(layout.facts(places))
    pages = -(-len(passages) // PER_PAGE)
    place = st.container()
    page = st.pagination(pages, key=f"passages-{document_id}") if pages > 1 else 1
    place.html("".join(_passage(each) for each in passages[(page - 1) * PER_PAGE : page * PER_PAGE]))
    if here.may(Action.WRITE):
        layout.confirmed(
            f"document-{document_id}",
            "Delete this document",
            f"The document goes with its {layout.count(len(passages), 'passage')}; the file that it came from stays.",
            "Delete it",
            partial(_remove, here, expert, document_id),
            disabled=here.jobs.busy(expert),
        )


def _passage(passage: Passage) -> str:
    place = " · ".join(part for part in (passage.place, f"characters {passage.start:,} to {passage.end:,}") if part)
    body = element("blockquote", "passage", text(passage.text), dir="auto")
    return element("div", "text-card", element("span", "meta", text(place), dir="auto") + body)


def _title(card: DocumentCard) -> str:
    return card.title or card.source or card.key or "Untitled"


def _facts(card: DocumentCard) -> str:
    """What else tells the document from others, in a line."""
    file = card.source if card.title else ""
    return " · ".join(part for part in (layout.count(card.passages, "passage"), card.date, file) if part)


def _open(expert: str, document_id: str) -> None:
    st.session_state[OPENED] = (expert, document_id)


def _close() -> None:
    st.session_state.pop(OPENED, None)


def _remove(here: Context, expert: str, document_id: str) -> None:
    try:
        here.check_still()
        here.record(Action.WRITE, expert, partial(here.symposium.remove_documents, expert, [document_id]))
    except SymposiaError as error:
        layout.told(Failed(error.problem, error.fix))
    else:
        _close()
        st.toast("The document was deleted.")
