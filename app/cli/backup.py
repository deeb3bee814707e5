"""``symposia backup`` and ``symposia restore``: everything in a home as one file. Neither needs a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.archive import counting
from app.cli.invocation import Invocation
from app.cli.options import AsJson
from app.cli.output import duration, size

if TYPE_CHECKING:
    from app.backup import Backup
    from app.cli.output import Output


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Such as monday.symposia.", show_default=False)],
    verify: Annotated[bool, typer.Option("--verify", help="Only check an existing backup, every byte of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write slices, conversations, keys, people, audit log and settings to one file.

    It holds secrets, so only its owner may read it. Slices of the store inside a process are copied while no other process
    has them; stop the chat or the server meanwhile. With a Qdrant server they may go on.
    """
    from app.backup import back_up
    from app.backup import verify as verified
    from app.wiring import open_store_of

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    if verify:
        with output.progress(f"checking {file.name}") as update:
            done = verified(file, counting(update))
        _tell(output, done, f"{file} is whole: made {done.created},", as_json)
        return
    loaded = invocation.load()
    with output.progress(f"writing {file.name}") as update:
        done = back_up(loaded.settings.home, file, open_store_of(loaded.settings), loaded.file, counting(update))
    _tell(output, done, f"Written: {file},", as_json)
    if done.left_out:
        output.note(f"Left out: {', '.join(done.left_out)}.")


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="HOME", help="Another home than that of the settings.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The home holds something; put this in its place.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a home from a backup. Every byte of it is checked first.

    Interrupted, the restoring has changed nothing; run it again. Results of evaluations in the home stay.
    """
    from app.backup import SETTINGS
    from app.backup import restore as restored
    from app.wiring import open_store_of

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    settings = invocation.load().settings
    home = settings.home if into is None else into.absolute()
    with output.progress(f"restoring {file.name}") as update:
        done = restored(file, home, open_store_of(settings), replacing=replace, on_progress=counting(update))
    _tell(output, done, f"Restored into {home}:", as_json)
    if done.settings:
        output.note(f"The settings of then lie in {home / SETTINGS}; use them with --config, or copy them.")


def _tell(output: Output, done: Backup, start: str, as_json: bool) -> None:
    if as_json:
        output.document(done.to_dict())
        return
    passages = sum(done.slices.values())
    output.show(
        f"{start} {len(done.slices)} slices with {passages:,} passages and {len(done.files)} other files, "
        f"{size(done.bytes)}, in {duration(done.seconds)}."
    )
