"""The card of a training on a page: what was tried, what came of it, before and after."""

from __future__ import annotations

import streamlit as st

from app.chat.panes import layout, plots
from evaluation.report import marked, p_text
from retrievers.training.card import Card, Line

MEASURE = "nDCG@10"


def before_after(card: Card | None) -> str:
    """``0.645 → 0.701`` on dev questions, or on test questions where there were any; a dash without a training."""
    if card is None:
        return "–"
    before, after = ends(card)
    if before is None or after is None:
        return "–"
    return f"{before.ndcg.value:.3f} → {after.ndcg.value:.3f}"


def ends(card: Card) -> tuple[Line | None, Line | None]:
    """The line of the encoder as it is, and the best of the others; where no adapter ships, twice the former."""
    lines = card.test if len(card.test) > 1 else card.dev
    if not lines:
        return None, None
    first, *others = lines
    if not card.ships or not others:
        return first, first
    return first, max(others, key=lambda line: (line.ndcg.value, line.adapter))


def show(card: Card, key: str) -> None:
    """Draw the whole card."""
    for split, lines in (("dev", card.dev), ("test", card.test)):
        if lines:
            _lines(split, lines, f"{key}-{split}")
    decided = f"Got the adapter {card.kind}." if card.ships else "Kept what it had."
    when = f"Trained {layout.moment(card.finished)}, in {layout.duration(card.seconds)}." if card.finished else ""
    st.html(layout.notes([line for line in (decided, *card.notes(), when) if line]))


def _lines(split: str, lines: tuple[Line, ...], key: str) -> None:
    header = ("adapter", "setting", f"{MEASURE} on {split} questions", "p", "seconds")
    st.html(layout.table(header, [_row(line) for line in lines]))
    if len(lines) > 1:
        rows = [plots.Mean(f"{line.adapter} {line.setting}".strip(), *line.ndcg) for line in lines]
        st.vega_lite_chart(spec=plots.means(rows, f"{MEASURE} on {split} questions"), width="stretch", key=key)


def _row(line: Line) -> list[layout.Cell]:
    stars = marked(line.p) if line.p is not None else ""
    return [
        layout.name(line.adapter),
        layout.words(line.setting),
        layout.number(str(line.ndcg)),
        layout.number("" if line.p is None else f"{p_text(line.p)} {stars}".strip()),
        layout.number(f"{line.seconds:.0f}" if line.seconds else ""),
    ]
