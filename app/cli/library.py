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
    from collections.abc import Sequence

    from app.cli.output import Output
    from app.library import AddProgress, AddReport, ExpertCard
    from indexes.readers.problem import Problem

experts = typer.Typer(help="List the experts, or remove one.", invoke_without_command=True)


def add(
    ctx: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, folders or BEIR folders.")],
    expert: Annotated[str, typer.Option("--expert", metavar="NAME", help="Whose slice they go into; made if absent.")],
    description: Annotated[str, typer.Option(help="What a new expert knows, in a sentence.")] = "",
    replace: Annotated[
        bool,
        typer.Option(
            "--replace/--keep",
            help="What changed takes the place of its earlier version, and what is gone from a folder goes; or all stays.",
        ),
    ] = True,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what is gone even where that is more than half of a folder.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and how long it would take; write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring an expert up to date with documents: files, folders, or BEIR folders.

    What is there already costs nothing; after an interruption, run it again and it goes on.

    Files that cannot be read are named and left out; the others are added, and the exit code is 1.
    """
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    if dry_run:
        _plan(invocation, output, paths, expert, replacing=replace, prune=prune)
        return

    def tell(problem: Problem) -> None:
        output.note(f"{'left out: ' if problem.left_out else ''}{problem}", style="yellow")

    with invocation.open() as symposium, output.progress(f"reading into {expert!r}") as update:

        def report(progress: AddProgress) -> None:
            update(_progress(expert, progress))

        result = symposium.add(
            paths, expert, description, replacing=replace, prune=prune, on_progress=report, on_problem=tell
        )
    if as_json:
        output.document(result.to_dict())
    else:
        output.show(_told(result))
    end(output, result.problems, result.withheld)


def _plan(
    invocation: Invocation, output: Output, paths: list[Path], expert: str, *, replacing: bool, prune: bool
) -> None:
    with invocation.open() as symposium, output.progress(f"reading for {expert!r}"):
        plan = symposium.plan(paths, expert, replacing=replacing, prune=prune)
    if output.as_json:
        output.document(plan.to_dict())
    else:
        same = f", {plan.reused:,} take a known vector" if plan.reused else ""
        how = "tried with some of them" if plan.measured else "at the pace of the last time"
        output.show(
            f"{expert}: {plan.documents:,} documents: {plan.new:,} new, {plan.changed:,} changed, {plan.unchanged:,} "
            f"unchanged; {plan.removed:,} would be removed",
            f"{plan.passages:,} passages: {plan.embedded:,} would be embedded{same}; "
            f"about {duration(plan.seconds)} ({how})",
            "Nothing was written.",
        )
    for problem in plan.problems:
        output.note(f"{'would be left out: ' if problem.left_out else ''}{problem}", style="yellow")
    end(output, plan.problems, plan.withheld)


def end(output: Output, problems: Sequence[Problem], withheld: Sequence[Problem]) -> None:
    """Say what was not done when documents were added, and let the exit code say so."""
    for problem in withheld:
        output.note(str(problem), style="bold red")
    left = sum(problem.left_out for problem in problems)
    if left:
        output.note(f"{left} left out, see above.", style="yellow")
    if left or withheld:
        raise typer.Exit(1)


def _told(report: AddReport) -> str:
    new = report.embedded + report.reused
    parts = [
        f"{report.documents:,} documents",
        *([f"{report.replaced:,} earlier versions replaced"] if report.replaced else []),
        *([f"{report.removed:,} removed"] if report.removed else []),
        f"{report.passages:,} passages",
        f"{new:,} of them new",
        *([f"{report.reused:,} of these with the vector of an equal text"] if report.reused else []),
        f"{report.passages - new:,} there already",
    ]
    repeated = f"; {report.repeated:,} passages repeat another document" if report.repeated else ""
    return f"{report.expert}: {', '.join(parts)}, in {duration(report.seconds)}{repeated}"


@experts.callback()
def experts_default(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the experts, or remove one."""
    if ctx.invoked_subcommand is None:
        list_experts(ctx, as_json)
    elif as_json:
        ctx.default_map = {ctx.invoked_subcommand: {"as_json": True}}


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
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; nothing is asked without a terminal.")] = False,
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
    whole = f"{progress.passages:,} of {progress.total:,}" if progress.total else f"{progress.passages:,}"
    parts = [f"{expert}: {whole} passages", f"{progress.embedded:,} embedded", f"{progress.documents:,} documents read"]
    if progress.rate:
        parts.append(f"{progress.rate:,.{int(progress.rate < 10)}f} a second")
    parts.append(duration(progress.seconds) if progress.left is None else f"{duration(progress.left)} left")
    return ", ".join(parts)


def _row(card: ExpertCard) -> tuple[str, ...]:
    about = "cannot be asked, see below" if card.problem else card.description
    return (card.name, f"{card.passages:,}" if not card.problem else "–", card.encoder, card.updated, about)
