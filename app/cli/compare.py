"""``symposia compare``: runs that were evaluated before, side by side, as a table and as figures. Loads no model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson, Out
from app.cli.output import Output
from indexes.errors import InputError

if TYPE_CHECKING:
    from evaluation.report import Table
    from evaluation.side_by_side import SideBySide
    from evaluation.stored import StoredRun

MARKS = "* p < 0.05, ** p < 0.01, *** p < 0.001."


def compare(
    ctx: typer.Context,
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN",
            help="A folder of `symposia evaluate` or `evaluate-answers`, or a TREC run file (with --qrels); NAME=PATH gives it a name.",
            show_default=False,
        ),
    ],
    qrels: Annotated[
        Path | None, typer.Option(metavar="PATH", help="What run files are judged by: a BEIR folder, or a qrels file.")
    ] = None,
    split: Annotated[str, typer.Option(help="Which file under qrels/ of that folder.")] = "test",
    baseline: Annotated[str, typer.Option(metavar="NAME", help="The run to compare with; by default the first.")] = "",
    measure: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="What to print and draw. Repeatable; else the first.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the bootstrap and the tests.")] = 0,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Compare evaluated runs with a baseline: means, differences, intervals and tests, set by set and over all.

    Runs are compared only where they were judged by the same questions. With --out, figures (SVG) and report.html are
    written: differences, calibration (where a folder has routing.jsonl or calibration.jsonl), cost against quality.
    """
    from evaluation.answer_comparison import compare_stored
    from evaluation.side_by_side import side_by_side

    output = _output(ctx, as_json)
    named = [split_name(text) for text in runs]
    stored = _read(named, qrels, split)
    found = side_by_side(stored, baseline=baseline, seed=seed)
    steps = compare_stored(stored, baseline=baseline, seed=seed)
    measures = _measures(measure, found.measures)
    files = [] if out is None else _draw(found, out, named, measures)
    if as_json:
        more = {"steps": [table.to_dict() for table in steps]} if steps else {}
        output.document({**found.to_dict(), **more, "out": [str(file) for file in files]})
        return
    _show(output, found, measures)
    for table in steps:
        show_compared(output, table, table.title)
    if files:
        output.show(f"The report is in {files[0]}, with {len(files) - 1} figures beside it.")


def _output(ctx: typer.Context, as_json: bool) -> Output:
    invocation: Invocation = ctx.obj
    return invocation.output(as_json)


def split_name(text: str) -> tuple[str, Path]:
    """The name and the path of ``NAME=PATH``, unless a file or folder has that name as a whole."""
    name, equals, path = text.partition("=")
    if not equals or Path(text).exists():
        return "", Path(text)
    return name.strip(), Path(path)


def _read(named: Sequence[tuple[str, Path]], qrels: Path | None, split: str) -> list[StoredRun]:
    from evaluation.metrics import DEFAULT_MEASURES
    from evaluation.stored import read_folder, read_judgements, score_file

    judgements = None if qrels is None else read_judgements(qrels, split)
    found: list[StoredRun] = []
    for name, path in named:
        if not path.is_file():
            found += read_folder(path, name)
        elif judgements is None:
            raise InputError(
                f"{path} is a run file, and nothing says what it is judged by.",
                "Name the judgements: `--qrels` with a BEIR folder or a qrels file.",
            )
        else:
            found.append(score_file(path, *judgements, name=name, measures=DEFAULT_MEASURES))
    return found


def _measures(wanted: list[str] | None, known: Sequence[str]) -> list[str]:
    unknown = [measure for measure in wanted or [] if measure not in known]
    if unknown:
        raise InputError(
            f"The runs have no measure {unknown[0]!r} in common.", f"Those that all have: {', '.join(known)}."
        )
    return list(dict.fromkeys(wanted)) if wanted else list(known[:1])


def _draw(found: SideBySide, out: Path, named: Sequence[tuple[str, Path]], measures: Sequence[str]) -> list[Path]:
    from evaluation.figures.write import read_reliabilities, write_report

    folders = {path: name or path.name for name, path in named if path.is_dir()}
    sources = [str(path) for _, path in named]
    return write_report(found, out, measures=measures, calibrated=read_reliabilities(folders), sources=sources)


def _show(output: Output, found: SideBySide, measures: Sequence[str]) -> None:
    for measure in measures:
        for table in found.tables:
            show_compared(output, table, measure)
    output.show(*dict.fromkeys(note for table in found.tables for note in table.notes), MARKS, *found.notes)
    others = [measure for measure in found.measures if measure not in measures]
    if others:
        output.show(f"Other measures: {', '.join(others)} (--measure, --json, --out).")


def show_compared(output: Output, table: Table, measure: str) -> None:
    """Write one measure of a table: each system's mean, its difference to the baseline and the test, and an empty line."""
    output.table(
        ("system", measure, f"difference to {table.baseline}", "p (Holm)", ""),
        _rows(table, measure),
        title=f"{table.title}, n = {table.rows[0].n}",
    )
    output.show("")


def _rows(table: Table, measure: str) -> list[tuple[str, ...]]:
    from evaluation.report import marked, p_text

    rows: list[tuple[str, ...]] = []
    for row in table.rows:
        compared = measure in row.difference
        rows.append(
            (
                table.label(row),
                str(row.values[measure]),
                row.difference[measure].signed if compared else "",
                p_text(row.p[measure]) if compared else "",
                marked(row.p[measure]) if compared else "",
            )
        )
    return rows
