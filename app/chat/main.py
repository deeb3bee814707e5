"""Entry of the browser application: the frame around its pages.

``python -m streamlit run app/chat/main.py``; flags for it stand in ``.streamlit/config.toml`` beside this file.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

st.set_page_config(page_title="Symposia", page_icon="🏛️", layout="centered", initial_sidebar_state="auto")
st.html(HERE / "style.css")
page = st.navigation([st.Page(HERE / "views" / "chat.py", title="Chat", icon=":material/forum:", default=True)])
page.run()
