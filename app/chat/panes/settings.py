"""The settings page: every value, where it comes from, and how to change it."""

from __future__ import annotations

import streamlit as st

from app.chat.markup import element, text
from app.chat.opening import opened
from app.chat.panes import layout
from app.chat.panes.context import principal, refused, sees_whole
from app.settings import Loaded, Settings, load_settings
from app.settings.load import DEFAULT
from app.settings.show import Shown, changed_since, shown
from indexes.errors import SymposiaError

LEAD = "A flag counts more than an environment variable, that more than the settings file, that more than the preset."
SEARCH, SET_ONLY, CHANGING = "settings-search", "settings-set", "settings-change"


def show() -> None:
    """Draw the page; it needs no symposium, so that settings that keep it from being opened can be seen."""
    if not sees_whole(principal()):
        refused("Settings")
        return
    layout.head("Settings", LEAD)
    loaded = load_settings()
    _file(loaded)
    _changed(loaded)
    like = st.text_input("Search by name, value or description", key=SEARCH, icon=":material/search:")
    set_only = st.toggle("Only what was set", key=SET_ONLY)
    rows = [row for row in shown(loaded) if row.says(like) and (not set_only or row.origin != DEFAULT)]
    if not rows:
        layout.empty("No setting is like that.", "Search for a part of a word, such as `server`, or show all of them.")
        return
    st.html(layout.table(("setting", "value", "from", "what it is"), [_row(row) for row in rows], stacked=True))
    _how(loaded, rows)


def _file(loaded: Loaded) -> None:
    if loaded.file is not None:
        st.html(layout.facts([("settings file", str(loaded.file)), ("home", str(loaded.settings.home))]))
        return
    st.html(layout.facts([("settings file", "none"), ("home", str(loaded.settings.home))]))
    layout.empty(
        "There is no settings file: all values are defaults, or come from the environment.",
        "Write one with `symposia config --toml > symposia.toml` in the folder where you start Symposia.",
    )


def _changed(loaded: Loaded) -> None:
    running = _running()
    if running is not None and (keys := changed_since(running, loaded.settings)):
        layout.empty(
            f"Changed since this page was started: {', '.join(keys)}.",
            "Start `symposia chat` again: the new values count then.",
        )


def _running() -> Settings | None:
    try:
        return opened().symposium.settings
    except SymposiaError:
        return None


def _row(row: Shown) -> list[layout.Cell]:
    value = element("code", "secret" if row.secret else "value", text(row.value))
    origin = element("span", "default" if row.origin == DEFAULT else "origin-set", text(row.origin), dir="auto")
    return [layout.name(row.key), ("text", value), ("text", origin), layout.prose(row.description)]


def _how(loaded: Loaded, rows: list[Shown]) -> None:
    layout.heading("How to change one")
    by_key = {row.key: row for row in rows}
    if st.session_state.get(CHANGING) not in by_key:
        st.session_state[CHANGING] = rows[0].key
    row = by_key[st.selectbox("Setting", list(by_key), key=CHANGING) or rows[0].key]
    st.caption("In the settings file, or as an environment variable, or for one start as a flag:")
    st.code(row.as_toml, language="toml")
    st.code(f"{row.as_variable}\n{row.as_flag}", language="bash")
    where = str(loaded.file) if loaded.file is not None else "symposia.toml in the folder where Symposia is started"
    st.html(layout.notes([f"The settings file is {where}. A change counts from the next start on."]))
