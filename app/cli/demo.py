"""``symposia demo``: the whole path on real texts."""

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
    """Index three bodies of text and answer questions about them.

    The models are fetched first where they are missing; what is there already is kept.
    """
    from app.demo.run import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    document = run(invocation.load().settings, output, check=check, rebuild=rebuild)
    if as_json:
        output.document(document)
    if not document["ok"]:
        raise typer.Exit(1)
