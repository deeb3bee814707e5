"""``symposia bench``: measure speed and size on the demo panel, and decoding policies on NQ-Swap."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson

NQ_SWAP = Path("qa", "nq-swap", "dev.parquet")

bench = typer.Typer(help="Measure speed, size and decoding.", no_args_is_help=True)


@bench.command("speed")
def speed(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Measure speed and memory on the demo panel, beside their targets. The exit code is 1 where one is missed."""
    from app.bench.speed import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    document = run(invocation.load().settings, output)
    if as_json:
        output.document(document)
    if not document["ok"]:
        raise typer.Exit(1)


@bench.command("decoding")
def decoding(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="NQ-Swap's dev.parquet; else below $SYMPOSIA_DATA or ../shared/data.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Questions.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of their draw.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Compare AdaCAD with greedy decoding where the context contradicts what the model learned."""
    from app.bench.decoding import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    file = data or Path(os.environ.get("SYMPOSIA_DATA", "../shared/data")) / NQ_SWAP
    with output.progress("decoding") as update:
        table = run(invocation.load().settings, file, n=limit, seed=seed, on_progress=update)
    if as_json:
        output.document(table.to_dict())
        return
    rows = [(row.name, str(row.n), *map(row.cell, table.measures)) for row in table.rows]
    output.table(("system", "n", *table.measures), rows, title=table.title)
    for note in table.notes:
        output.show(note)
