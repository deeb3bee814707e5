"""``symposia export`` and ``symposia import``: an expert's slice as a file. Neither needs a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson
from app.cli.output import duration, size

if TYPE_CHECKING:
    from app.cli.output import Update
    from app.settings import Settings
    from indexes.archive.slice_file import Transfer
    from indexes.archive.slices import Report


def export_expert(
    ctx: typer.Context,
    expert: Annotated[str, typer.Argument(metavar="EXPERT", show_default=False)],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Such as EXPERT.symposia.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Write an expert's slice to a file: passages, vectors, and what it has learned.

    The file is a tar that any tool opens, with checksums. An older archive of that name is replaced.
    """
    from app.wiring import open_store_of
    from indexes.archive.slice_file import export_slice

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    settings = invocation.load().settings
    with output.progress(f"exporting {expert!r}") as update:
        done = export_slice(settings.home / "slices", expert, file, open_store_of(settings), counting(update))
    if as_json:
        output.document({**done.to_dict(), "file": str(file)})
    else:
        output.show(f"Exported {_described(done)} to {file}, {size(done.bytes)}.")


def import_expert(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    expert: Annotated[str, typer.Option("--expert", metavar="NAME", help="Another name than in the file.")] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of an expert that has the name already.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an expert from a file that `symposia export` wrote. Nothing is encoded.

    The file is checked first, every byte of it. Interrupted, the import has changed nothing; run it again.
    """
    from app.wiring import open_store_of
    from indexes.archive.slice_file import import_slice

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    settings = invocation.load().settings
    with output.progress(f"importing {file.name}") as update:
        done = import_slice(
            file,
            settings.home / "slices",
            open_store_of(settings),
            name=expert,
            replacing=replace,
            on_progress=counting(update),
        )
    problem = encoder_problem(settings, done)
    if as_json:
        output.document({**done.to_dict(), "problem": problem})
    else:
        output.show(f"Imported {_described(done)} from {file}{', in place of the old one' if done.replaced else ''}.")
    if problem:
        output.note(f"It cannot be asked with these settings yet. {problem}", style="yellow")


def encoder_problem(settings: Settings, done: Transfer) -> str:
    """Why the slice cannot be opened with the encoder of the settings; empty where it can."""
    from app.wiring import encoder_of
    from indexes.errors import SymposiaError
    from indexes.manifest import check_fingerprint

    try:
        check_fingerprint(done.manifest, encoder_of(settings).fingerprint)
    except SymposiaError as error:
        return str(error)
    return ""


def counting(update: Update) -> Report:
    """Progress of an archive in words."""

    def report(what: str, count: int) -> None:
        update(f"{what}: {count:,}")

    return report


def _described(done: Transfer) -> str:
    rate = f", {done.points / done.seconds:,.0f} a second" if done.points and done.seconds > 0 else ""
    return f"{done.manifest.name}: {done.points:,} passages in {duration(done.seconds)}{rate}"
