"""Entry of the browser application: the frame around its pages.

``python -m streamlit run app/chat/main.py``; flags for it stand in ``.streamlit/config.toml`` beside this file.
"""

from __future__ import annotations

import logging
from pathlib import Path

import streamlit as st

from app.chat.markup import failure
from app.chat.worker import defect

HERE = Path(__file__).parent

st.set_page_config(page_title="Symposia", page_icon="🏛️", layout="centered", initial_sidebar_state="auto")
st.html(HERE / "style.css")
page = st.navigation([st.Page(HERE / "views" / "chat.py", title="Chat", icon=":material/forum:", default=True)])
try:
    page.run()
except Exception as error:  # the edge of the process; Streamlit's reruns and stops are no Exceptions
    logging.getLogger("app.chat").exception("the page could not be drawn")
    st.html(failure(defect(error)))
