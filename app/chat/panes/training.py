"""Training an expert from a page: what it learns from, how far it has come, before and after."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import streamlit as st

from app.access.principal import Action
from app.chat.markup import element, failure, label, text
from app.chat.panes import cards, layout
from app.chat.panes.context import Context
from app.chat.panes.jobs import Job
from app.chat.turn import Failed
from app.conversations.pairs import taught
from app.train import WANTED, Request, Wanted
from indexes.errors import InputError, SymposiaError
from retrievers.training.card import Card

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

KIND = "training"
OWN, PAIRS, THUMBS, SERVER = (
    "its own passages",
    "pairs of questions and passages",
    "thumbs given in the chat",
    "files on the server",
)
FROM, KINDS, DATA, TEST, FILES = "train-from", "train-kinds", "train-data", "train-test", "train-files"
EXPLAINED = {
    OWN: "Questions are made from the titles, headings and sentences of its slice. Costs nothing, teaches a little.",
    PAIRS: 'JSON lines such as {"question": "…", "passage_id": "…"}, or "key" or "passage" in place of "passage_id".',
    THUMBS: "Questions whose answers you found helpful, with the passages that these cite.",
    SERVER: "A BEIR folder, with :SPLIT behind it or without, or a file of pairs.",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """What training is at: the task, steps done and at most, and when the task was first heard of."""

    what: str
    done: int
    total: int
    since: float
    first: int

    def after(self, what: str, done: int, total: int, now: float) -> Stage:
        """What is reported next; a task goes on while the words before the first comma stay."""
        if what.partition(",")[0] == self.what.partition(",")[0]:
            return Stage(what, done, total, self.since, self.first)
        return Stage(what, done, total, now, done)

    def line(self, now: float) -> str:
        """``linear: 12 of at most 40 · at most 9 s left``."""
        parts = [f"{self.what}: {self.done:,} of at most {self.total:,}"]
        if now - self.since >= 1 and self.done > self.first:
            left = (now - self.since) / (self.done - self.first) * (self.total - self.done)
            parts.append(f"at most {layout.duration(left)} left")
        return " · ".join(parts)


def form(here: Context, expert: str) -> None:
    """Where people say what the expert is to learn from."""
    with st.expander(f"Train {label(expert)}", icon=":material/model_training:"):
        sources = [OWN, PAIRS, THUMBS, *([SERVER] if here.whole else [])]
        source = st.radio("Learn from", sources, key=FROM, horizontal=True) or OWN
        st.caption(label(EXPLAINED[source]))
        if source == PAIRS:
            st.file_uploader("Files of pairs", type=["jsonl"], accept_multiple_files=True, key=FILES)
        if source == SERVER:
            st.text_input("Path, with or without :SPLIT", key=DATA, placeholder="questions.jsonl")
            st.text_input("Test questions, which are reported and decide nothing (optional)", key=TEST)
        st.pills(
            "Kinds of adapter", WANTED, default=["auto"], selection_mode="multi", key=KINDS, help="auto: all but lora."
        )
        busy = here.jobs.busy(expert)
        st.button("Train", key="train", type="primary", disabled=busy, on_click=_begin, args=(here, expert))
        st.caption(
            "Until it has ended, the expert answers as it did. A training that was stopped goes on where it was."
        )


def running(here: Context) -> None:
    """What is being trained, and what came of it."""
    layout.listed(here.jobs.of(here.principal, KIND), _draw, here.jobs.put_away)


def _draw(job: Job) -> None:
    st.html(element("p", "job", text(f"Training {job.expert}")))
    if not job.done:
        _under_way(job)
    elif job.failure is not None:
        st.html(failure(job.failure))
    elif isinstance(job.result, Card):
        _ended(job, job.result)
    else:
        st.html(element("p", "outcome", "Stopped. The expert is as it was; the same training would go on from here."))
    st.html(layout.notes([str(note) for note in job.notes]))


def _under_way(job: Job) -> None:
    stage = job.progress
    if isinstance(stage, Stage):
        share = stage.done / stage.total if stage.total else 0.0
        st.progress(min(max(share, 0.0), 1.0), text=label(stage.line(time.monotonic())))
    else:
        st.progress(0.0, text=f"Reading · {layout.duration(job.seconds)}")
    if job.stopping:
        st.caption("Stopping after this step.")
    else:
        st.button("Stop", key=f"stop-{job.id}", icon=":material/stop_circle:", on_click=job.stop)


def _ended(job: Job, card: Card) -> None:
    change = cards.before_after(card)
    words = f"It now has an adapter of kind {card.kind}" if card.ships else "It keeps what it had"
    known = f": {cards.MEASURE} {change}." if change != "–" else "."
    st.html(element("div", "outcome", element("p", "line", text(words + known)), role="status"))
    cards.show(card, key=f"ended-{job.id}")


def _begin(here: Context, expert: str) -> None:
    """What was typed and chosen is read now: it may have changed since the button was drawn."""
    folder: Path | None = None
    try:
        here.check_still()
        kinds = tuple(cast("list[Wanted]", st.session_state.get(KINDS) or ["auto"]))
        if "identity" in kinds and len(kinds) > 1:
            raise InputError(
                "identity means no adapter, and others were chosen too.", "Choose identity alone, or the others."
            )
        data, folder = _data(here, expert)
        test = st.session_state.get(TEST, "").strip() if _source() == SERVER and here.whole else ""
        request = Request(expert, data, test=test, kinds=kinds)
        here.jobs.begin(here.principal.name, KIND, expert, partial(_work, here, request, folder))
    except SymposiaError as error:
        _forget(folder)
        layout.told(Failed(error.problem, error.fix))


def _forget(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _source() -> str:
    return str(st.session_state.get(FROM) or OWN)


def _data(here: Context, expert: str) -> tuple[tuple[str, ...], Path | None]:
    """What to learn from, as ``Request.data`` takes it, and the folder that was made for it."""
    source, state = _source(), st.session_state
    if source == SERVER and here.whole:
        typed = state.get(DATA, "").strip()
        if not typed:
            raise InputError("No path was given.", "Type that of a BEIR folder or of a file of pairs.")
        return (typed,), None
    if source == OWN:
        return (), None
    contents = _pairs(state.get(FILES) or []) if source == PAIRS else _thumbs(here, expert)
    folder = Path(tempfile.mkdtemp(prefix="symposia-pairs-"))
    for name, content in contents:
        (folder / name).write_bytes(content)
    return tuple(str(folder / name) for name, _ in contents), folder


def _pairs(files: Sequence[UploadedFile]) -> list[tuple[str, bytes]]:
    if not files:
        raise InputError("No file of pairs was chosen.", "Choose one or more .jsonl files.")
    return [(f"{number}-{Path(file.name).name}", file.getvalue()) for number, file in enumerate(files)]


def _thumbs(here: Context, expert: str) -> list[tuple[str, bytes]]:
    found = taught(here.conversations.judged(here.principal), expert)
    if not found.pairs:
        raise InputError(
            f"The thumbs given in the chat hold no pair for expert {expert!r}: {found.up} up, {found.down} down.",
            "Give a thumb up to good answers that cite its passages, or choose another source.",
        )
    lines = "".join(json.dumps(pair.to_dict()) + "\n" for pair in found.pairs)
    return [("thumbs.jsonl", lines.encode())]


def _work(here: Context, request: Request, folder: Path | None, job: Job) -> Card:
    stage = Stage("", 0, 0, time.monotonic(), 0)

    def report(what: str, done: int, total: int) -> None:
        nonlocal stage
        stage = stage.after(what, done, total, time.monotonic())
        job.checked(stage)

    train = partial(here.symposium.train, request, on_progress=report, on_note=job.notes.append)
    try:
        return here.record(Action.TRAIN, request.expert, train)
    finally:
        _forget(folder)
