"""``symposia bulk``: add many documents, encoded by many processes."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.library import end
from app.cli.options import AsJson
from app.cli.output import duration

if TYPE_CHECKING:
    from app.bulk.run import BulkProgress
    from app.library import AddProgress
    from indexes.readers.problem import Problem


def bulk(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, folders or BEIR folders.")],
    expert: Annotated[str, typer.Option("--expert", metavar="NAME", help="Whose slice they go into; made if absent.")],
    description: Annotated[str, typer.Option(help="What a new expert knows, in a sentence.")] = "",
    workers: Annotated[int, typer.Option(min=0, help="Processes that encode, one core each; 0 for all cores.")] = 0,
    address: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Of a Ray cluster, such as ray://host:10001; else workers start here.",
            show_default=False,
        ),
    ] = "",
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of vectors until they are added; shared by a cluster's machines.",
            show_default=False,
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace/--keep", help="Whether earlier versions go, as with `add`.")
    ] = True,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what is gone, however much it is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add documents like `add`, encoded by many processes: on this machine, or on a Ray cluster.

    It ends in the same slice as `add`. After an interruption, run it again: what is encoded is not encoded again.
    """
    from app.bulk.run import Work
    from app.bulk.run import bulk as run
    from app.models.resolve import resolve
    from app.wiring import make_panel
    from indexes.encoders.open import open_encoder

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    settings = invocation.load().settings
    models = settings.models
    folder, cache = resolve(models.encoder, "encoder", models.folder).absolute(), models.folder.absolute()
    make_encoder = partial(open_encoder, folder, Path(models.encoder).name, models.runtime, cache, 1)
    count = workers or os.cpu_count() or 1
    planned = Work(((work or settings.home / "bulk") / expert).absolute(), make_encoder, count, address)

    def tell(problem: Problem) -> None:
        output.note(f"{'left out: ' if problem.left_out else ''}{problem}", style="yellow")

    with output.progress(f"reading for {expert!r}") as update:

        def encoded(progress: BulkProgress) -> None:
            update(_encoded(expert, progress))

        def added(progress: AddProgress) -> None:
            update(f"{expert}: encoded; {progress.passages} passages added")

        report = run(
            make_panel(settings),
            settings,
            paths,
            expert,
            planned,
            description,
            replacing=replace,
            prune=prune,
            on_encoded=encoded,
            on_progress=added,
            on_problem=tell,
        )
    if as_json:
        output.document(report.to_dict())
    else:
        output.show(
            f"{expert}: {report.added.documents} documents, {report.added.passages} passages, {report.added.embedded} of "
            f"them new; {report.texts} texts encoded by {report.workers} processes in {duration(report.encoding)}, added "
            f"in {duration(report.added.seconds)}"
        )
    end(output, report.added.problems, report.added.withheld)


def _encoded(expert: str, progress: BulkProgress) -> str:
    left = "" if progress.left is None else f", {duration(progress.left)} left"
    return f"{expert}: {progress.done} of {progress.shards} shards, {progress.texts} texts encoded{left}"
