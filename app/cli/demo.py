"""``symposia demo`` and ``symposia bench``: show the whole path on real texts, and measure its speed and size."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson


def demo(
    ctx: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Ask all questions and compare with what is expected.")
    ] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Index the texts again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch what is missing, index three bodies of text, and answer questions about them."""
    from app.demo.run import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    document = run(invocation.load().settings, output, check=check, rebuild=rebuild)
    if as_json:
        output.document(document)
    if not document["ok"]:
        raise typer.Exit(1)


def bench(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Measure speed and memory on the demo panel, and compare them with their targets."""
    from app.bench import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    document = run(invocation.load().settings, output)
    if as_json:
        output.document(document)
    if not document["ok"]:
        raise typer.Exit(1)
