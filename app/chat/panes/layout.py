"""Pieces that all pages are made of, as inert HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import streamlit as st

from app.chat.markup import element, failure, text
from app.chat.panes.jobs import Job
from app.chat.turn import Failed

STYLE = Path(__file__).parent / "panes.css"
TICK = 1.0  # seconds between two looks at a job

Cell = tuple[str, str]
"""A kind (``number``, ``name``, ``text``) and HTML."""


def head(title: str, lead: str) -> None:
    """The page's style, its title, and what it is for."""
    st.html(STYLE)
    st.html(element("h1", "page-title", text(title)) + element("p", "page-lead", text(lead)))


def heading(words: str) -> None:
    """Title of a part of the page."""
    st.html(element("h2", "part-title", text(words), dir="auto"))


def empty(words: str, what_to_do: str) -> None:
    """Nothing is here; ``what_to_do`` may hold commands between backticks."""
    st.html(element("div", "empty", failure(Failed(words, what_to_do))))


def table(header: Sequence[str], rows: Sequence[Sequence[Cell]], caption: str = "", *, stacked: bool = False) -> str:
    """A table; where the window is narrow it can be scrolled sideways, or ``stacked``: each row as a list of its cells."""
    kinds = [kind for kind, _ in rows[0]] if rows else ["text"] * len(header)
    named = "".join(element("th", kind, text(word), scope="col") for word, kind in zip(header, kinds, strict=True))
    body = "".join(element("tr", "row", _cells(header, row)) for row in rows)
    above = element("caption", "caption", text(caption), dir="auto") if caption else ""
    inner = element("thead", "thead", element("tr", "row", named)) + element("tbody", "tbody", body)
    kind = "table stacked" if stacked else "table"
    return element("div", "scroll", element("table", kind, above + inner), tabindex="0")


def words(value: str) -> Cell:
    """Text that is escaped."""
    return "text", element("span", "cell", text(value), dir="auto")


def prose(value: str) -> Cell:
    """A sentence or more, which needs a line of its own where there is little room."""
    return "text long", element("span", "cell", text(value), dir="auto")


def name(value: str) -> Cell:
    """What the row is called."""
    return "name", element("span", "cell", text(value), dir="auto")


def number(value: str) -> Cell:
    """Digits, set to the right."""
    return "number", element("span", "cell", text(value))


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values side by side; empty values are left out."""
    parts = [
        element(
            "div", "fact", element("dt", "fact-name", text(key)) + element("dd", "fact-value", text(value), dir="auto")
        )
        for key, value in pairs
        if value
    ]
    return element("dl", "facts", "".join(parts))


def notes(lines: Sequence[str]) -> str:
    """Small print."""
    if not lines:
        return element("span", "gone", "")
    return element("div", "notes", "".join(element("p", "small", text(line), dir="auto") for line in lines))


def bytes_text(size: int) -> str:
    """Bytes for people.

    >>> bytes_text(999), bytes_text(12_345), bytes_text(3_400_000_000)
    ('999 B', '12 kB', '3.4 GB')
    """
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}" if unit != "B" and value < 10 else f"{value:.0f} {unit}"


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(4.2), duration(75), duration(7300)
    ('4 s', '1 min 15 s', '2 h 1 min')
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(iso: str) -> str:
    """Day and minute of a time in ISO 8601; as it is where it is none.

    >>> moment("2026-01-02T03:04:05+00:00"), moment("2025"), moment("")
    ('2026-01-02 03:04 UTC', '2025', '')
    """
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if len(iso) < 16:
        return iso
    return f"{when:%Y-%m-%d %H:%M}" + (" UTC" if when.utcoffset() is not None and not when.utcoffset() else "")


def count(n: int, noun: str) -> str:
    """A number with its noun.

    >>> count(1, "document"), count(1200, "document")
    ('1 document', '1,200 documents')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def confirmed(key: str, ask: str, warning: str, yes: str, do: Callable[[], None], *, disabled: bool = False) -> None:
    """A button that asks once more before it does something for good."""
    state = f"confirm-{key}"
    if not st.session_state.get(state):
        st.button(ask, key=f"ask-{key}", icon=":material/delete:", disabled=disabled, on_click=_set, args=(state, True))
        return
    st.html(failure(Failed(warning, "This cannot be undone.")))
    with st.container(horizontal=True, key=f"confirming-{key}"):
        st.button(yes, key=f"yes-{key}", type="primary", on_click=_do, args=(state, do))
        st.button("Keep it", key=f"no-{key}", on_click=_set, args=(state, False))


def listed(jobs: Sequence[Job], draw: Callable[[Job], None], put_away: Callable[[Job], None]) -> None:
    """Draw jobs, each to be put away once it has ended."""
    for job in jobs:
        with st.container(border=True, key=f"job-{job.id}"):
            followed(job, draw)
            if job.done:
                st.button("OK", key=f"away-{job.id}", on_click=put_away, args=(job,))


def followed(job: Job, draw: Callable[[Job], None]) -> None:
    """Draw a job again and again until its end, and then the whole page."""

    @st.fragment(run_every=None if job.done else TICK)
    def follow() -> None:
        draw(job)
        if job.done and not shown_done:
            st.rerun()

    shown_done = job.done
    follow()


def told(failed: Failed) -> None:
    """Keep a failure for the next drawing of the page: a callback cannot draw where it belongs."""
    st.session_state["told"] = failed


def tell() -> None:
    """Draw what ``told`` has kept, once."""
    failed: Failed | None = st.session_state.pop("told", None)
    if failed is not None:
        st.html(failure(failed))


def _cells(header: Sequence[str], row: Sequence[Cell]) -> str:
    return "".join(element("td", kind, html, data_label=word) for word, (kind, html) in zip(header, row, strict=True))


def _set(state: str, value: bool) -> None:
    st.session_state[state] = value


def _do(state: str, do: Callable[[], None]) -> None:
    st.session_state[state] = False
    do()
