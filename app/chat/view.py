"""One turn on the page: the question, how it was understood, the route, the answer, its sources, and what people think of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import streamlit as st

from app.chat import answers, cards, route_panel
from app.chat.markup import element, failure, text
from app.chat.turn import Turn

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.elements.lib.mutable_status_container import StatusContainer


class View:
    """One turn on the page. ``draw`` may be called again and again; only what changed is sent to the browser.

    Parameters
    ----------
    turn
        What to draw.
    on_stop
        Ends its answering.
    """

    def __init__(self, turn: Turn, on_stop: Callable[[], None]) -> None:
        self.turn = turn
        self._sent: dict[str, str] = {}
        self._places: dict[str, DeltaGenerator] = {}
        with st.chat_message("user", avatar=":material/person:"):
            st.html(element("div", "question", text(turn.question), dir="auto"))
        with st.chat_message("assistant", avatar=":material/account_balance:"):
            self._place("understood")
            self._stop: DeltaGenerator | None = None
            if turn.done:  # another kind of block, so that nothing of the one with the button can stay on the page
                self._status = self._headed()
            else:
                with st.container(horizontal=True, vertical_alignment="top", gap="small"):
                    self._status, self._stop = self._headed(), st.empty()
                    self._stop.button("Stop", key="stop", icon=":material/stop_circle:", on_click=on_stop)
            with self._status:
                self._place("panel")
            for name in ("failures", "answer", "sources"):
                self._place(name)
            self.below = st.container(gap="small")

    @property
    def _state(self) -> Literal["running", "complete", "error"]:
        if not self.turn.done:
            return "running"
        return "error" if self.turn.failure is not None else "complete"

    def draw(self) -> None:
        """Bring the page up to date with the turn."""
        if self.turn.done and self._stop is not None:
            self._stop.empty()
        self._status.update(label=route_panel.headline(self.turn, time.monotonic()), state=self._state)
        for name, place in self._places.items():
            html = parts(self.turn)[name]
            if html and self._sent.get(name) != html:
                place.html(html)
                self._sent[name] = html

    def _headed(self) -> StatusContainer:
        """What is being done, or was, with the route folded below it."""
        return st.status(route_panel.headline(self.turn, time.monotonic()), state=self._state)

    def _place(self, name: str) -> None:
        """Put a part where it belongs. One that may still change is emptied first, which would close an opened source."""
        html = self._sent[name] = parts(self.turn)[name]
        if self.turn.done and html:
            st.html(html)
            return
        self._places[name] = st.empty()
        if html:
            self._places[name].html(html)


def parts(turn: Turn) -> dict[str, str]:
    """Everything that is shown of a turn, as HTML."""
    sources = cards.checked(turn.number, turn.answer) if turn.answer else cards.found(turn.number, turn.evidence)
    return {
        "understood": understood(turn),
        "panel": route_panel.panel(turn),
        "failures": route_panel.failures(turn.route),
        "answer": answers.shown(turn) + unrecorded(turn),
        "sources": sources,
    }


def understood(turn: Turn) -> str:
    """How a follow-up was understood; nothing where it was as it was typed."""
    if not turn.rewritten:
        return ""
    return element("p", "understood", f"Understood as: {element('q', 'standalone', text(turn.rewritten), dir='auto')}")


def unrecorded(turn: Turn) -> str:
    """That the answer could not be kept, and why; nothing where it was."""
    return failure(turn.unrecorded) if turn.unrecorded is not None else ""
