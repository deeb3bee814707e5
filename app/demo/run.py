"""The demo: fetch what is missing, index three bodies of text, then answer questions about them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.cli.models import fetch_one
from app.cli.output import Output, duration
from app.cli.render import show_answer
from app.demo.questions import Outcome, Question, judge, read_questions
from app.demo.sources import EXPERTS
from app.library import AddProgress, AddReport
from app.models.manifest import load_manifest
from app.symposium import Symposium

if TYPE_CHECKING:
    from app.settings import Settings

SHOWN = ("c02", "s07", "p03", "t01", "u05", "n02")
TO_PASS = 36


def run(settings: Settings, output: Output, *, check: bool = False, rebuild: bool = False) -> dict[str, Any]:
    """Build the demo panel, then show six answers or, with ``check``, judge the answers to all questions.

    Returns
    -------
    dict
        ``ok``, the reports of adding, seconds, and the outcomes.
    """
    started = time.perf_counter()
    fetch_models(settings, output)
    with Symposium.open(settings) as symposium:
        reports = build(symposium, output, rebuild=rebuild)
        built = time.perf_counter() - started
        output.note(f"The panel is ready after {duration(built)}.")
        questions = [q for q in read_questions() if check or q.id in SHOWN]
        outcomes = _table(symposium, questions, output) if check else _show(symposium, questions, output)
        seconds = time.perf_counter() - started
    passed = sum(outcome.passed for outcome in outcomes)
    enough = TO_PASS if check else len(SHOWN) - 1
    output.show(f"{passed} of {len(outcomes)} answers were as expected, in {duration(seconds)}.")
    if not check:
        output.show(
            'Next: `make chat` opens the chat; `symposia ask "…"` answers here; `symposia add` brings your documents.'
        )
    return {
        "ok": passed >= enough,
        "seconds": {"build": built, "all": seconds},
        "added": [report.to_dict() for report in reports],
        "outcomes": [outcome.to_dict() for outcome in outcomes],
    }


def fetch_models(settings: Settings, output: Output) -> None:
    """Fetch the models that the settings name, where they are in the manifest and not here yet."""
    known = load_manifest()
    for name in settings.models.held:
        if name in known:
            fetch_one(output, name, settings.models.folder)


def build(symposium: Symposium, output: Output, *, rebuild: bool = False) -> list[AddReport]:
    """Index the demo's texts; what is indexed already costs a second."""
    reports = []
    for expert in EXPERTS:
        if rebuild and any(card.name == expert.name for card in symposium.experts()):
            symposium.remove(expert.name)
        with output.progress(f"indexing {expert.name}") as update:

            def report(progress: AddProgress, name: str = expert.name) -> None:
                rate = progress.embedded / progress.seconds if progress.seconds else 0
                update(f"indexing {name}: {progress.passages} passages, {rate:.0f} a second")

            reports.append(
                symposium.add_documents(expert.documents(), expert.name, expert.description, on_progress=report)
            )
        last = reports[-1]
        output.note(
            f"{expert.name}: {last.passages} passages of {last.documents} documents, {last.embedded} of them new"
        )
    return reports


def _show(symposium: Symposium, questions: Sequence[Question], output: Output) -> list[Outcome]:
    outcomes = []
    for question in questions:
        answer = symposium.ask(question.question)
        output.show("", f"Question: {question.question}")
        show_answer(output, answer)
        outcomes.append(judge(question, answer))
    return outcomes


def _table(symposium: Symposium, questions: Sequence[Question], output: Output) -> list[Outcome]:
    outcomes = []
    with output.progress("asking") as update:
        for i, question in enumerate(questions, start=1):
            update(f"question {i} of {len(questions)}: {question.question}")
            outcomes.append(judge(question, symposium.ask(question.question)))
    rows = [
        (
            outcome.question.id,
            outcome.question.kind,
            "pass" if outcome.passed else "MISS",
            "; ".join(outcome.failures),
            outcome.answer.marked,
        )
        for outcome in outcomes
    ]
    output.table(("id", "kind", "", "what is amiss", "answer"), rows)
    return outcomes
