"""``symposia evaluate``: measure retrieval on a BEIR folder, or score runs that were stored. The latter loads no model."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson, Out
from app.cli.output import Output

if TYPE_CHECKING:
    from app.settings import Settings
    from evaluation.report import Table

DEFAULT_MODES = "dense,bm25,hybrid"
POOLED_MODES = "dense,bm25,rrf,panel"


def evaluate(
    ctx: typer.Context,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Folders in BEIR layout; several are pooled.", show_default=False),
    ],
    split: Annotated[str, typer.Option(help="Which file under qrels/ is judged by.")] = "test",
    modes: Annotated[
        str,
        typer.Option(help=f"Kinds of search, with commas between; {DEFAULT_MODES}, or of a pool {POOLED_MODES}."),
    ] = "",
    run: Annotated[
        list[Path] | None,
        typer.Option("--run", metavar="FILE.trec", help="Score this stored run instead of searching. Repeatable."),
    ] = None,
    out: Out = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first questions of the split.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure retrieval on a BEIR folder, on several pooled into one corpus, or score stored runs.

    Of several folders each becomes an expert, and "panel" asks those that the router chooses.

    nDCG@10, R@100, MAP and MRR are printed with intervals, and the runs written in TREC format.

    Without --out, the files go to evaluations/ in the home folder. The first mode or run is the baseline.
    """
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    if run and limit is not None:
        raise typer.BadParameter("--limit is for searching; a stored run is scored whole.")
    if run and len(paths) > 1:
        raise typer.BadParameter("Stored runs are scored on one folder.")
    settings = invocation.load().settings
    name = "+".join(path.resolve().name for path in paths)
    folder = out or settings.home / "evaluations" / f"{name}-{split}"
    if run:
        table = _stored(paths[0], split, run, folder)
    elif len(paths) > 1:
        table = _pooled(output, settings, paths, split, modes or POOLED_MODES, folder, limit)
    else:
        table = _searched(output, settings, paths[0], split, modes or DEFAULT_MODES, folder, limit)
    if as_json:
        output.document({**table.to_dict(), "out": str(folder)})
        return
    show_table(output, table)
    output.show(f"Runs and scores are in {folder}.")


def show_table(output: Output, table: Table) -> None:
    """Write a table of systems and measures, its notes below."""
    output.table(("system", "n", *table.measures), table.narrow(), title=table.title)
    output.show(*table.notes)


def _stored(path: Path, split: str, files: list[Path], folder: Path) -> Table:
    from evaluation.beir import BeirSet
    from evaluation.experiment import evaluate_runs
    from evaluation.runs import Run

    return evaluate_runs(BeirSet.read(path, split), [Run.read(file) for file in files], folder)


def _searched(
    output: Output, settings: Settings, path: Path, split: str, modes: str, folder: Path, limit: int | None
) -> Table:
    from app.evaluate import MODES, evaluate_folder

    wanted = _modes(modes, MODES)
    with output.progress(f"evaluating {path}") as update:
        return evaluate_folder(settings, path, split=split, modes=wanted, out=folder, limit=limit, on_progress=update)


def _pooled(
    output: Output, settings: Settings, paths: list[Path], split: str, modes: str, folder: Path, limit: int | None
) -> Table:
    from app.evaluate_pool import PANEL, POOL_MODES, evaluate_pool

    wanted = _modes(modes, (*POOL_MODES, PANEL))
    with output.progress(f"evaluating a pool of {len(paths)}") as update:
        return evaluate_pool(
            settings,
            paths,
            split=split,
            modes=wanted,
            out=folder,
            limit=limit,
            report=lambda what, done, total: update(f"{what}: {done} of {total}"),
        )


def _modes(text: str, known: Collection[str]) -> tuple[str, ...]:
    modes = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [mode for mode in modes if mode not in known]
    if unknown or not modes:
        raise typer.BadParameter(f"{text!r}: name some of {', '.join(known)}.", param_hint="--modes")
    return modes
