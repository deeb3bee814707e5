"""Several evaluations side by side: means, differences to a baseline, paired tests, as ``symposia compare`` prints them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.chat.panes import figures, layout
from app.evaluations import Compared, StoredEvaluation, compare_evaluations

BASELINE, MEASURE = "baseline", "compare-measure"


def compare(chosen: Sequence[StoredEvaluation]) -> None:
    """Draw the comparison; evaluations that were judged by different questions are an error that says so."""
    with st.spinner("Testing"):
        first = _compared(tuple(chosen), "")
    systems = list(dict.fromkeys(row.name for table in first.whole.tables for row in table.rows))
    with st.container(horizontal=True):
        baseline = st.selectbox("Baseline", systems, key=f"{BASELINE}-{'-'.join(systems)}") or systems[0]
        measure = st.selectbox("Measure", first.whole.measures, key=MEASURE) or first.whole.measures[0]
    with st.spinner("Testing"):
        found = first if baseline == first.whole.baseline else _compared(tuple(chosen), baseline)
    if len(systems) == 1:
        layout.empty(
            "Each set was evaluated with the same one system.", "Choose evaluations that share their questions."
        )
    tables = found.whole.tables
    figures.figure([found.whole.whole], measure, difference=len(systems) > 1, key="differences")
    if len(tables) > 1:
        figures.figure(found.whole.tables, measure, key="by-set")
    for table in (*tables[::-1], *found.steps):
        st.html(figures.differences(table, measure if measure in table.measures else table.measures[0]))
    notes = dict.fromkeys(note for table in tables for note in table.notes)
    st.html(layout.notes([*notes, figures.MARKS, *found.whole.notes]))


@st.cache_data(show_spinner=False, max_entries=20)
def _compared(chosen: tuple[StoredEvaluation, ...], baseline: str) -> Compared:
    return compare_evaluations(chosen, baseline)
