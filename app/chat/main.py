"""Entry of the browser application: the frame around its pages.

``python -m streamlit run app/chat/main.py``; flags for it stand in ``.streamlit/config.toml`` beside this file.
"""

from __future__ import annotations

import logging
from pathlib import Path

import streamlit as st

from app.chat.markup import failure
from app.chat.panes.context import principal, sees_whole
from app.chat.worker import defect

HERE = Path(__file__).parent
VIEWS = HERE / "views"

st.set_page_config(page_title="Symposia", page_icon="🏛️", layout="centered", initial_sidebar_state="auto")
st.html(HERE / "style.css")
pages = [
    st.Page(VIEWS / "chat.py", title="Chat", icon=":material/forum:", default=True),
    st.Page(VIEWS / "library.py", title="Library", icon=":material/local_library:"),
    st.Page(VIEWS / "experts.py", title="Experts", icon=":material/school:"),
]
try:
    if sees_whole(principal()):
        pages += [
            st.Page(VIEWS / "evaluate.py", title="Evaluate", icon=":material/monitoring:"),
            st.Page(VIEWS / "settings.py", title="Settings", icon=":material/tune:"),
        ]
    st.navigation(pages).run()
except Exception as error:  # the edge of the process; Streamlit's reruns and stops are no Exceptions
    logging.getLogger("app.chat").exception("the page could not be drawn")
    st.html(failure(defect(error)))
