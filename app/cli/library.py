"""``symposia add`` and ``symposia experts``: what the experts know."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson
from app.cli.output import duration

if TYPE_CHECKING:
    from app.library import AddProgress, ExpertCard
    from indexes.readers.problem import Problem

experts = typer.Typer(help="List the experts, or remove one.", invoke_without_command=True)


def add(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, folders or BEIR folders.")],
    expert: Annotated[str, typer.Option("--expert", metavar="NAME", help="Whose slice they go into; made if absent.")],
    description: Annotated[str, typer.Option(help="What a new expert knows, in a sentence.")] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="A document that changed takes the place of its earlier version.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add documents to an expert.

    What is there already costs nothing; after an interruption, run it again and it goes on.

    Files that cannot be read are named and left out; the others are added, and the exit code is 1.
    """
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)

    def tell(problem: Problem) -> None:
        output.note(f"left out: {problem}", style="yellow")

    with invocation.open() as symposium, output.progress(f"reading into {expert!r}") as update:

        def report(progress: AddProgress) -> None:
            update(_progress(expert, progress))

        result = symposium.add(paths, expert, description, replacing=replace, on_progress=report, on_problem=tell)
    if as_json:
        output.document(result.to_dict())
    else:
        old = result.passages - result.embedded
        output.show(
            f"{expert}: {result.documents} documents, {result.passages} passages, {result.embedded} of them new, "
            f"{old} there already, in {duration(result.seconds)}"
        )
    if result.problems:
        output.note(f"{len(result.problems)} left out, see above.", style="yellow")
        raise typer.Exit(1)


@experts.callback()
def experts_default(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the experts, or remove one."""
    if ctx.invoked_subcommand is None:
        list_experts(ctx, as_json)


@experts.command("list")
def list_experts(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the experts, those with problems included."""
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    with invocation.open() as symposium:
        cards = symposium.experts()
    if as_json:
        output.document({"experts": [card.to_dict() for card in cards]})
        return
    if not cards:
        output.show(
            "There are no experts yet. Make one with `symposia add PATH --expert NAME`, or run `symposia demo`."
        )
        return
    output.table(("expert", "passages", "encoder", "updated", "description"), [_row(card) for card in cards])
    for card in cards:
        if card.problem:
            output.note(f"{card.name}: {card.problem}", style="red")


@experts.command("remove")
def remove_expert(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete an expert and its slice. The documents themselves are not touched."""
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    asks = not yes and not as_json and sys.stdin.isatty()
    if asks and not typer.confirm(f"Delete expert {name!r} and its slice?", err=True):
        output.note("Nothing was deleted.")
        raise typer.Exit(1)
    with invocation.open() as symposium:
        symposium.remove(name)
    if as_json:
        output.document({"removed": name})
    else:
        output.show(f"Removed {name}.")


def _progress(expert: str, progress: AddProgress) -> str:
    return (
        f"{expert}: {progress.documents} documents, {progress.passages} passages, {progress.embedded} embedded, "
        f"{duration(progress.seconds)}"
    )


def _row(card: ExpertCard) -> tuple[str, ...]:
    about = "cannot be asked, see below" if card.problem else card.description
    return (card.name, f"{card.passages:,}" if not card.problem else "–", card.encoder, card.updated, about)
