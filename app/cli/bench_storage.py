"""``symposia bench crash`` and ``symposia bench sizing``: what adding survives, and what slices take up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson
from app.cli.output import duration

if TYPE_CHECKING:
    from app.settings import Settings
    from indexes.encoders.base import Encoder


def crash(
    ctx: typer.Context,
    times: Annotated[int, typer.Option(min=1, help="Processes to kill.")] = 100,
    documents: Annotated[int, typer.Option(min=1, help="Documents that each of them is to add.")] = 5000,
    seed: Annotated[int, typer.Option(help="Of the documents and the moments.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Kill processes that add documents, at random moments. The exit code is 1 where anything is lost or doubled."""
    from app.bench.crash import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with output.progress("adding documents undisturbed") as update:
        found = run(
            times=times,
            documents=documents,
            seed=seed,
            report=lambda done, total: update(f"killed {done} of {total}"),
        )
    if as_json:
        output.document(found.to_dict())
    else:
        title = f"{found.documents} documents, {found.passages} passages, seed {found.seed}"
        output.table(("what", "number"), found.rows(), title=title)
        output.show(
            f"An undisturbed run takes {duration(found.undisturbed)}; all took {duration(found.seconds)}.",
            *(f"harmed: {death}" for death in found.deaths if not death.fine),
        )
    if not found.ok:
        raise typer.Exit(1)


def sizing(
    ctx: typer.Context,
    points: Annotated[
        list[int] | None,
        typer.Option(min=1000, help="Passages of a slice; may be repeated, twice at least.", show_default=False),
    ] = None,
    dimensions: Annotated[
        list[int] | None,
        typer.Option("--dimension", min=8, help="Of the vectors; may be repeated.", show_default=False),
    ] = None,
    questions: Annotated[int, typer.Option(min=1, help="Asked of each slice.")] = 200,
    model: Annotated[bool, typer.Option("--model/--no-model", help="Time the encoder, too.")] = True,
    seed: Annotated[int, typer.Option(help="Of the vectors and questions.")] = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as docs/sizing.md has them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure what passages take up on disk and in memory at a few sizes, and carry it on to a billion. Takes two CPU minutes."""
    from app.bench.sizing import DIMENSIONS, POINTS, run
    from app.bench.sizing_tables import tables

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    encoder = _encoder(invocation.load().settings) if model else None
    with output.progress("sizing") as update:
        found = run(
            points=sorted(set(points or POINTS)),
            dimensions=sorted(set(dimensions or DIMENSIONS)),
            questions=questions,
            seed=seed,
            encoder=encoder,
            report=update,
        )
    if as_json:
        output.document(found.to_dict())
        return
    for table in tables(found):
        if markdown:
            output.verbatim(table.markdown() + "\n")
            continue
        output.table(table.columns, table.rows, title=table.title)
        output.show(*table.notes)


def _encoder(settings: Settings) -> Encoder:
    """The encoder on one core."""
    from app.wiring import encoder_of

    return encoder_of(settings.model_copy(update={"models": settings.models.model_copy(update={"threads": 1})}))
