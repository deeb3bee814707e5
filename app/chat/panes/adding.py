"""Adding files to an expert: what to add to whom, how far it has come, and what came of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.access.principal import Action
from app.chat.markup import element, failure, label, text
from app.chat.panes import layout
from app.chat.panes.context import Context
from app.chat.panes.jobs import Job
from app.chat.turn import Failed
from app.library import AddProgress, AddReport, ExpertCard
from app.uploads import kept
from indexes.errors import InputError, SymposiaError
from indexes.readers.files import READERS
from indexes.readers.problem import Problem
from indexes.slice import check_name

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

KIND = "adding"
NEW = "A new expert"
TO, NAMED, KNOWS, PATH, REPLACING, ROUND = (
    "add-to",
    "add-name",
    "add-description",
    "add-path",
    "add-replacing",
    "add-round",
)
SHOWN = 20  # problems that are listed; the others are counted


def form(here: Context, cards: Sequence[ExpertCard]) -> None:
    """Where people say what is to be added."""
    with st.expander("Add files", icon=":material/upload_file:", expanded=not cards):
        names = [card.name for card in cards]
        to = st.selectbox("To which expert?", [*names, NEW], key=TO)
        if to == NEW:
            st.text_input("Its name", key=NAMED, placeholder="handbook", max_chars=64)
            st.text_input("What it knows, in a sentence", key=KNOWS, placeholder="The travel rules of our company.")
        _uploader()
        if here.whole:
            st.text_input("Or a file or folder on the server, by its path", key=PATH, placeholder="~/documents")
        st.checkbox(
            "What changed replaces its earlier version, and what is gone from a folder goes", value=True, key=REPLACING
        )
        st.button("Add", key="add", type="primary", on_click=_begin, args=(here,))


def running(here: Context) -> None:
    """What is being added, and what came of what was added."""
    layout.listed(here.jobs.of(here.principal, KIND), _draw, here.jobs.put_away)


def outcome(report: AddReport) -> str:
    """What changed, in words."""
    changed = [
        f"{layout.count(report.new, 'document')} added",
        f"{report.unchanged:,} unchanged",
        *([f"{layout.count(report.replaced, 'earlier version')} replaced"] if report.replaced else []),
        *([f"{layout.count(report.removed, 'document')} removed"] if report.removed else []),
    ]
    more = f"{report.embedded + report.reused:,} new passages of {report.passages:,}, in {layout.duration(report.seconds)}."
    first = f"{report.expert}: {', '.join(changed)}."
    stopped = "Stopped. What was read so far is kept; adding the same again goes on." if report.stopped else ""
    withheld = [f"{problem.path} {problem.reason}. {problem.fix}" for problem in report.withheld]
    lines = [line for line in (stopped, first, more, *withheld) if line]
    return element(
        "div", "outcome", "".join(element("p", "line", text(line), dir="auto") for line in lines), role="status"
    )


def problems(found: Sequence[Problem]) -> str:
    """Files that were left out, each with the reason and what to do."""
    if not found:
        return ""
    rows = "".join(
        element("li", "left", text(f"{each.path} {each.reason}. {each.fix}"), dir="auto") for each in found[:SHOWN]
    )
    rest = f" The first {SHOWN} are listed." if len(found) > SHOWN else ""
    line = element(
        "p", "problem", text(f"{layout.count(len(found), 'problem')}: what is named here was left out.{rest}")
    )
    return element("div", "failure", line + element("ul", "problems", rows), role="alert")


def progress_text(progress: AddProgress) -> str:
    """``512 of 2,000 passages · 3 documents read · 80 passages/s · 19 s left``."""
    whole = (
        f"{progress.passages:,} of {progress.total:,} passages" if progress.total else f"{progress.passages:,} passages"
    )
    parts = [whole, f"{layout.count(progress.documents, 'document')} read"]
    if progress.rate:
        parts.append(f"{progress.rate:,.0f} passages/s")
    if progress.left is not None:
        parts.append(f"{layout.duration(progress.left)} left")
    return " · ".join(parts)


def _uploader() -> None:
    types = [suffix.lstrip(".") for suffix in READERS]
    st.file_uploader("Files from this device", type=types, accept_multiple_files=True, key=_uploads_key())


def _uploads_key() -> str:
    """Another one each time something was added: an uploader with another key is empty."""
    return f"add-files-{st.session_state.get(ROUND, 0)}"


def _draw(job: Job) -> None:
    st.html(element("p", "job", text(f"Adding to {job.expert}")))
    if not job.done:
        _under_way(job)
    elif job.failure is not None:
        st.html(failure(job.failure))
    elif isinstance(job.result, AddReport):
        st.html(outcome(job.result))
    st.html(problems([note for note in job.notes if isinstance(note, Problem)]) or element("span", "gone", ""))


def _under_way(job: Job) -> None:
    progress = job.progress
    if isinstance(progress, AddProgress):
        share = progress.passages / progress.total if progress.total else 0.0
        st.progress(min(share, 1.0), text=label(progress_text(progress)))
    else:
        st.progress(0.0, text=f"Reading · {layout.duration(job.seconds)}")
    if job.stopping:
        st.caption("Stopping after the documents that are being stored.")
    else:
        st.button("Stop", key=f"stop-{job.id}", icon=":material/stop_circle:", on_click=job.stop)


def _begin(here: Context) -> None:
    """What was typed and chosen is read now: it may have changed since the button was drawn."""
    state, folder = st.session_state, None
    try:
        here.check_still()
        expert = _expert(here)
        uploads: list[UploadedFile] = state.get(_uploads_key()) or []
        typed = state.get(PATH, "").strip() if here.whole else ""
        if not uploads and not typed:
            raise InputError(
                "Nothing was chosen to be added.", "Choose files; PDF, DOCX, HTML, Markdown, text and JSONL are read."
            )
        existing = [_existing(typed)] if typed else []
        folder = _kept(uploads) if uploads else None
        paths = [*([folder] if folder else []), *existing]
        work = partial(_work, here, expert, state.get(KNOWS, "").strip(), paths, folder, state.get(REPLACING, True))
        here.jobs.begin(here.principal.name, KIND, expert, work)
    except SymposiaError as error:
        _forget(folder)
        layout.told(Failed(error.problem, error.fix))
        return
    state[ROUND] = state.get(ROUND, 0) + 1
    state[PATH] = ""


def _expert(here: Context) -> str:
    to = st.session_state.get(TO)
    name = st.session_state.get(NAMED, "").strip() if to == NEW else to
    if not name:
        raise InputError("The new expert has no name.", "Type one, such as `handbook`.")
    check_name(name)
    if not here.principal.sees(name):  # the same whether there is such an expert or not
        raise InputError(f"You may not add documents to an expert named {name!r}.", "Choose one that you see.")
    return str(name)


def _work(
    here: Context, expert: str, knows: str, paths: Sequence[Path], folder: Path | None, replacing: bool, job: Job
) -> AddReport:
    note: Callable[[Problem], None] = job.notes.append
    add = partial(
        here.symposium.add,
        paths,
        expert,
        knows,
        below=folder,
        replacing=replacing,
        on_progress=job.report,
        on_problem=note,
        cancelled=lambda: job.stopping,
    )
    try:
        return here.record(Action.WRITE, expert, add)
    finally:
        _forget(folder)


def _forget(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _existing(typed: str) -> Path:
    path = Path(typed).expanduser()
    if not path.exists():
        raise InputError(f"There is no file or folder {typed} on the server.", "Type the path as it is there.")
    return path.resolve()


def _kept(uploads: Sequence[UploadedFile]) -> Path:
    """A folder of its own with the uploaded files under the names that people gave them."""
    folder = Path(tempfile.mkdtemp(prefix="symposia-upload-")).resolve()
    kept([(upload.name, upload) for upload in uploads], folder)
    return folder
