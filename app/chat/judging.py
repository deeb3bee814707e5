"""What a person thinks of an answer: a thumb and, if they like, a comment. A click leaves alone what is being answered."""

from __future__ import annotations

import streamlit as st

from app.chat.asking import Visit
from app.chat.markup import element
from app.chat.telling import told
from app.chat.turn import Turn

LONGEST = 2000  # characters of a comment


def judging(visit: Visit, turn: Turn) -> None:
    """Draw thumbs and comment under a kept answer; what is chosen is stored at once."""
    stored = turn.stored
    if stored is None:
        return
    thumb, comment = f"helpful-{stored.id}", f"comment-{stored.id}"
    st.session_state.setdefault(thumb, None if stored.helpful is None else int(stored.helpful))
    st.session_state.setdefault(comment, stored.comment)
    arguments = (visit, turn, thumb, comment)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"judge-{stored.id}"):
        st.html(element("span", "asking", "Was this helpful?"), width="content")
        st.feedback("thumbs", key=thumb, on_change=_judge, args=arguments)
        if stored.comment:
            st.html(element("span", "kept", "Comment kept. Thank you.", role="status"), width="content")
    if stored.helpful is not None:
        st.text_input(
            "Comment on this answer",
            key=comment,
            placeholder="What was right or wrong? (optional; Enter keeps it)",
            max_chars=LONGEST,
            label_visibility="collapsed",
            on_change=_judge,
            args=arguments,
        )


def _judge(visit: Visit, turn: Turn, thumb: str, comment: str) -> None:
    if turn.stored is None:
        return
    value = st.session_state.get(thumb)
    helpful, words = (None if value is None else bool(value)), (st.session_state.get(comment) or "").strip()
    with told():
        visit.check_still()
        visit.conversations.judge(visit.principal, turn.stored.id, helpful, words)
        turn.judge(helpful, words)
