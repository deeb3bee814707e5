"""The evaluate page: what was measured, one evaluation opened, several compared."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from app.chat.markup import element, text
from app.chat.panes import comparing, figures, layout, plots
from app.chat.panes.context import context, refused
from app.evaluations import Confidence, OpenedEvaluation, StoredEvaluation, open_evaluation, stored_evaluations
from evaluation.report import Table

CHOSEN = "evaluations"
LEAD = "What was measured on this panel, with intervals. Choose one evaluation to open it, or several to compare them."
ASKED = ("finished", "seconds", "python", "cpu", "cores", "seeds", "git", "encoder", "system")


def show() -> None:
    """Draw the page."""
    here = context()
    if not here.whole:
        refused("Evaluate")
        return
    layout.head("Evaluate", LEAD)
    stored = stored_evaluations(here.symposium.settings.home)
    if not stored:
        layout.empty(
            "Nothing was evaluated yet.",
            "Run `symposia evaluate FOLDER` on a BEIR folder, or `symposia evaluate-answers QUESTIONS.jsonl` on questions with"
            " gold answers. What they write into the home folder is listed here.",
        )
        return
    names = [each.name for each in stored]
    kept = [name for name in st.session_state.get(CHOSEN, []) if name in names]
    if kept != st.session_state.get(CHOSEN, []):
        st.session_state[CHOSEN] = kept
    chosen = st.multiselect("Evaluations", names, key=CHOSEN, placeholder="Choose one, or several to compare")
    by_name = {each.name: each for each in stored}
    if not chosen:
        st.html(_list(stored))
    elif len(chosen) == 1:
        _one(by_name[chosen[0]])
    else:
        comparing.compare([by_name[name] for name in chosen])


def _list(stored: Sequence[StoredEvaluation]) -> str:
    header = ("evaluation", "of", "asked", "finished")
    return layout.table(header, [_row(each) for each in stored], stacked=True)


def _row(each: StoredEvaluation) -> list[layout.Cell]:
    few = "; ".join(each.data[:3]) + (f"; and {len(each.data) - 3} more" if len(each.data) > 3 else "")
    when = layout.moment(each.finished) if each.complete else f"stopped {layout.moment(each.finished)}"
    return [layout.name(each.name), layout.words(each.kind), layout.words(few), layout.words(when)]


def _one(chosen: StoredEvaluation) -> None:
    opened = open_evaluation(chosen.folder)
    layout.heading(chosen.name)
    if not chosen.complete:
        layout.empty("It was stopped before its end.", "Run the same command again: it goes on.")
    for number, table in enumerate(opened.tables):
        _table(table, number)
    if opened.confidence is not None:
        _confidence(opened.confidence)
    _calibrated(opened)
    st.html(layout.notes(opened.notes))
    _made_with(opened)


def _table(table: Table, number: int) -> None:
    st.html(figures.table(table))
    if table.rows and len(table.rows) > 1:
        measure = table.measures[0]
        if len(table.measures) > 1:
            measure = st.selectbox("Measure to draw", table.measures, key=f"measure-{number}") or measure
        figures.figure([table], measure, key=f"figure-{number}")
    starred = [figures.MARKS] if any(row.p for row in table.rows) else []
    st.html(layout.notes([*table.notes, *starred]))


def _confidence(found: Confidence) -> None:
    layout.heading("How far its confidence can be trusted")
    st.caption(f"{layout.count(found.n, 'answer')} that were given and can be judged; lower risk is better.")
    st.vega_lite_chart(spec=plots.risk_coverage(found.curves), width="stretch", key="risk-coverage")
    first = next(iter(found.curves))
    st.caption(
        f"Reliability of {first}: ECE {found.reliability.ece}, n = {found.reliability.n:,}. Dashed: as promised."
    )
    spec = plots.reliability(found.reliability, first, "share of answers that are right")
    st.vega_lite_chart(spec=spec, width="stretch", key="reliability")


def _calibrated(opened: OpenedEvaluation) -> None:
    if not opened.calibrated:
        return
    layout.heading("How far its probabilities can be trusted")
    names = [f"{each.name}, {each.kind}" for each in opened.calibrated]
    place = names.index(st.selectbox("System", names, key="calibrated") or names[0])
    each = opened.calibrated[place]
    promised, observed = each.axes
    st.caption(f"ECE {each.found.ece}, Brier {each.found.brier.value:.3f}, n = {each.found.n:,}. Dashed: as promised.")
    st.vega_lite_chart(
        spec=plots.reliability(each.found, promised, observed), width="stretch", key=f"calibrated-{place}"
    )


def _made_with(opened: OpenedEvaluation) -> None:
    known = {key: opened.made_with[key] for key in ASKED if opened.made_with.get(key) is not None}
    lines = [
        element("p", "small", element("b", "key", text(key)) + " " + text(_plain(value)), dir="auto")
        for key, value in known.items()
    ]
    with st.expander("What produced it"):
        st.html(element("div", "notes", "".join(lines)) or element("span", "gone", ""))


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(inner)}" for key, inner in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
