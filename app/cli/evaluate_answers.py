"""``symposia evaluate-answers``: ask questions with gold, store the answers, and measure them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson, Experts, Out, Retrieval
from app.cli.output import Output

if TYPE_CHECKING:
    from evaluation.answer_report import AnswerReport
    from evaluation.report import Table

MEASURE = "contains"  # of those that are compared, the one that is printed


def evaluate_answers(
    ctx: typer.Context,
    questions: Annotated[
        list[Path],
        typer.Argument(
            metavar="QUESTIONS.jsonl...",
            help='Lines such as {"id": "1", "question": "…?", "answers": ["…"]}; also "answerable", "conflict", "passages" (keys of'
            ' the gold passages), "memory" (what the model says without sources, which trust is judged by), "context", "slice".',
            show_default=False,
        ),
    ],
    expert: Experts = None,
    retrieve: Retrieval = None,
    policy: Annotated[str, typer.Option(metavar="NAME", help="Decoding policy, instead of the settings'.")] = "",
    out: Out = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many questions of each slice.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of their draw, the bootstrap and the tests.")] = 0,
    judge: Annotated[
        str,
        typer.Option(metavar="MODEL", help="Entailment model that judges citations, a folder or org/name."),
    ] = "",
    never: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Folder of the same with --no-retrieve: measures the gate.")
    ] = None,
    always: Annotated[Path | None, typer.Option(metavar="RUN", help="Folder of the same with --retrieve.")] = None,
    compare: Annotated[
        list[str] | None,
        typer.Option("--compare", metavar="RUN", help="A folder of this command to test against. Repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask questions with gold, store the answers, and measure them: right or not, and why not.

    A question with a context is answered from that, the others by retrieval. What is stored is not asked again. Lines
    that cannot be used are reported, and the others asked.

    Without --out, the files go to evaluations/ in the home folder.
    """
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    if policy:
        invocation = replace(invocation, flags={**invocation.flags, "generation.policy": policy})
    settings = invocation.load().settings
    name = "+".join(path.stem for path in questions)
    folder = out or settings.home / "evaluations" / f"{name}-answers-{settings.generation.policy}"
    if (never is None) != (always is None):
        raise typer.BadParameter("--never and --always go together: the gate is measured between the two.")
    references = None if never is None else (never, always)
    options = {"references": references, "limit": limit, "seed": seed, "judge": judge or settings.models.judge}
    report = _evaluated(invocation, output, questions, folder, expert or (), retrieve, options)
    compared = _compared(folder, compare, seed) if compare else []
    if as_json:
        tables = [table.to_dict() for table in compared]
        output.document({**report.to_dict(), "compared": tables, "out": str(folder)})
        return
    for table in report.tables:
        show(output, table)
    show_tests(output, compared)
    output.show(*report.notes, f"Answers and scores are in {folder}.")


def show(output: Output, table: Table) -> None:
    """Write a table, its notes and an empty line; many measures are set in two lines a row."""
    if len(table.measures) > 1:
        output.table(("", "n", *table.measures), table.narrow(), title=table.title)
    else:
        rows = [(table.label(row), str(row.n), *map(row.cell, table.measures)) for row in table.rows]
        output.table(("", "n", *table.measures), rows, title=table.title)
    output.show(*table.notes, "")


def show_tests(output: Output, tables: Sequence[Table]) -> None:
    """Write one measure of every comparison, and below them once what they have in common."""
    from app.cli.compare import show_compared

    others: dict[str, None] = {}
    for table in tables:
        measure = MEASURE if MEASURE in table.measures else table.measures[-1]
        title = table.title if measure == table.title else f"{table.title}: {measure}"
        show_compared(output, replace(table, title=title), measure)
        others |= dict.fromkeys(name for name in table.measures if name != measure)
    output.show(*dict.fromkeys(note for table in tables for note in table.notes))
    if others:
        output.show(f"Other measures, {', '.join(others)}: --json, or `symposia compare --measure`.", "")


def _evaluated(
    invocation: Invocation,
    output: Output,
    questions: Sequence[Path],
    folder: Path,
    experts: Sequence[str],
    retrieval: bool | None,
    options: dict[str, Any],
) -> AnswerReport:
    from app.evaluate_answers import Asking, evaluate_answers

    asking = Asking(tuple(experts), retrieval)
    with invocation.open() as symposium, output.progress("asking") as update:
        return evaluate_answers(symposium, questions, folder, asking=asking, **options, on_progress=update)


def _compared(folder: Path, others: Sequence[str], seed: int) -> list[Table]:
    """Paired tests of the run in ``folder`` against the first of the others."""
    from app.cli.compare import split_name
    from evaluation.answer_comparison import compare_stored
    from evaluation.side_by_side import side_by_side
    from evaluation.stored import read_folder

    named = [*map(split_name, others), (folder.resolve().name, folder)]
    runs = [run for name, path in named for run in read_folder(path, name or path.resolve().name)]
    return [*side_by_side(runs, seed=seed).tables, *compare_stored(runs, seed=seed)]
