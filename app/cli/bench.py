"""``symposia bench``: measure speed and size on the demo panel, and decoding policies on NQ-Swap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson

bench = typer.Typer(help="Measure speed, size and decoding.", no_args_is_help=True)


@bench.command("speed")
def speed(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Measure speed and memory on the demo panel, beside their targets. The exit code is 1 where one is missed."""
    from app.bench.speed import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with output.progress("measuring") as update:
        measures = run(invocation.load().settings, update)
    if as_json:
        output.document({"measures": [measure.to_dict() for measure in measures]})
    else:
        rows = [
            (
                m.name,
                str(m.n),
                f"{m.median:.3g} [{m.low:.3g}, {m.high:.3g}] {m.unit}",
                f"≤ {m.target:g} {m.unit}",
                _met(m.met),
            )
            for m in measures
        ]
        output.table(("what", "n", "median [quartiles]", "target", ""), rows)
    if not all(measure.met for measure in measures):
        raise typer.Exit(1)


@bench.command("decoding")
def decoding(
    ctx: typer.Context,
    data: Annotated[Path, typer.Option(help="NQ-Swap's dev.parquet.")] = Path("../shared/data/qa/nq-swap/dev.parquet"),
    n: Annotated[int, typer.Option("-n", min=1, help="Questions.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of their draw.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Compare AdaCAD with greedy decoding where the context contradicts what the model learned."""
    from app.bench.decoding import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with output.progress("decoding") as update:
        table = run(invocation.load().settings, data, n=n, seed=seed, on_progress=update)
    if as_json:
        output.document(table.to_dict())
        return
    rows = [(row.name, str(row.n), *map(row.cell, table.measures)) for row in table.rows]
    output.table(("policy", "n", *table.measures), rows, title=table.title)
    for note in table.notes:
        output.show(note)


def _met(met: bool) -> str:
    return "met" if met else "MISSED"
