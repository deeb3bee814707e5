"""What went wrong while a click was acted on, said beside the page, which then is drawn as ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.chat.markup import label
from indexes.errors import SymposiaError


@contextmanager
def told() -> Iterator[None]:
    """Tell people of a ``SymposiaError`` within (a conversation was deleted in another tab, the disk is full)."""
    try:
        yield
    except SymposiaError as error:
        st.toast(label(f"{error.problem} {error.fix}"), icon=":material/warning:", duration="long")
