"""``symposia demo`` and ``symposia bench``: show the whole path on real texts, and measure its speed and size."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson


class Bench(StrEnum):
    """What can be measured."""

    SPEED = "speed"
    DECODING = "decoding"


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


def bench(
    ctx: typer.Context,
    what: Annotated[Bench, typer.Argument(metavar="WHAT", help="speed, or decoding.")] = Bench.SPEED,
    as_json: AsJson = False,
) -> None:
    """Measure speed and memory, or decoding policies.

    speed: times and memory on the demo panel beside their targets. decoding: AdaCAD beside greedy on questions whose
    context contradicts memory.
    """
    from app.bench import run

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    document = run(what.value, invocation.load().settings, output)
    if as_json:
        output.document(document)
    if not document["ok"]:
        raise typer.Exit(1)
