"""The experts page: what each knows and has learnt, training one, and what was calibrated."""

from __future__ import annotations

import streamlit as st

from app.access.principal import Action
from app.chat.markup import failure, percent
from app.chat.opening import unusable
from app.chat.panes import cards, layout, training
from app.chat.panes.context import Context, context
from app.experts import ExpertDetails
from app.library import ExpertCard

EXPERT = "experts-expert"
LEAD = "An expert is a slice and what was learnt for it. Training gives it an adapter, which is kept only if it finds better."


def show() -> None:
    """Draw the page."""
    here = context()
    layout.head("Experts", LEAD)
    layout.tell()
    listed = here.symposium.experts()
    training.running(here)
    if not listed:
        layout.empty(
            "There are no experts yet.", "Add documents on the Library page, or run `symposia demo` for three experts."
        )
        return
    known = {card.name: here.symposium.details(card.name) for card in listed if not card.problem}
    st.html("".join(failure(unusable(card)) for card in listed if card.problem) + _overview(listed, known))
    if known:
        _one(here, known)
    _calibrations(here)


def _overview(listed: list[ExpertCard], known: dict[str, ExpertDetails]) -> str:
    header = ("expert", "what it knows", "passages", "searched with", "before → after")
    return layout.table(header, [_row(card, known.get(card.name)) for card in listed], stacked=True)


def _row(card: ExpertCard, found: ExpertDetails | None) -> list[layout.Cell]:
    if found is None:
        return [layout.name(card.name), layout.words("⚠ cannot be asked"), *[layout.number("–")] * 3]
    return [
        layout.name(card.name),
        layout.prose(card.description or "No description."),
        layout.number(f"{found.passages:,}"),
        layout.words(searched_with(found)),
        layout.number(cards.before_after(found.card)),
    ]


def searched_with(found: ExpertDetails) -> str:
    """The encoder as it is, or the kind of its adapter."""
    return f"adapter: {found.adapter}" if found.trained else "the encoder as it is"


def _one(here: Context, known: dict[str, ExpertDetails]) -> None:
    names = list(known)
    if st.session_state.get(EXPERT) not in names:
        st.session_state[EXPERT] = names[0]
    layout.heading("One expert")
    chosen = st.selectbox("Expert", names, key=EXPERT, label_visibility="collapsed")
    found = known[chosen]
    pairs = [
        ("documents", f"{found.documents:,}"),
        ("passages", f"{found.passages:,}"),
        ("encoder", f"{found.encoder.model}, {found.encoder.dimension} dimensions, {found.encoder.precision}"),
        ("searched with", searched_with(found)),
        ("relevance", "calibrated on its questions" if found.calibrated else "as for any slice"),
        ("question pilots", f"{found.pilots:,}" if found.pilots else "none"),
        ("changed", layout.moment(found.updated)),
    ]
    st.html(layout.facts(pairs))
    if found.card is not None:
        cards.show(found.card, key=f"card-{chosen}")
    else:
        st.html(layout.notes(["It has not been trained."]))
    if here.may(Action.TRAIN):
        training.form(here, chosen)


def _calibrations(here: Context) -> None:
    found = here.symposium.calibrations()
    layout.heading("Calibrations")
    if found.router is None and found.verdict is None:
        layout.empty(
            "Neither the router nor the verdict was calibrated: both go by the settings.",
            "Run `symposia calibrate EXPERT=QUESTIONS …` with questions of which it is known whose they are.",
        )
        return
    if found.router is not None:
        kept = found.router
        st.html(
            layout.facts(
                [
                    ("router", f"right expert asked in at least {percent(kept.guarantee.coverage)}"),
                    ("asks until it holds", percent(kept.guarantee.mass)),
                    ("temperature", f"{kept.temperature:.2f}"),
                    ("fitted on", layout.count(kept.guarantee.questions, "question")),
                    ("of the experts", ", ".join(kept.experts)),
                ]
            )
        )
    if found.verdict is not None:
        verdict = found.verdict
        promise = f"at most {percent(verdict.risk)} wrong, with a certainty of {percent(verdict.certainty)}"
        st.html(
            layout.facts(
                [
                    ("verdict", promise),
                    ("refuses below a confidence of", f"{verdict.confidence:.2f}"),
                    ("answers", percent(verdict.coverage)),
                    ("fitted on", layout.count(verdict.questions, "question")),
                    ("language model", verdict.model),
                ]
            )
        )
