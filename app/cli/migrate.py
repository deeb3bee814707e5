"""``symposia migrate``: slices from one store into another, without a model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.archive import counting
from app.cli.invocation import Invocation
from app.cli.options import AsJson

if TYPE_CHECKING:
    from app.cli.output import Output
    from app.settings import Loaded
    from indexes.archive.copying import Copied

EMBEDDED = "embedded"
VARIABLE = "SYMPOSIA_STORE_URL"


def migrate(
    ctx: typer.Context,
    to: Annotated[str, typer.Option("--to", metavar="URL", help=f"A Qdrant server or cluster, or {EMBEDDED!r}.")],
    come_from: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="Where they are; else as the settings say.")
    ] = None,
    experts: Annotated[
        list[str] | None, typer.Option("--expert", metavar="NAME", help="Only this one. Repeatable; else all.")
    ] = None,
    switch: Annotated[bool, typer.Option("--switch", help="Write the new store into the settings file.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove passages there that are not, or no longer, the slice's.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy slices into another store: from this process into a Qdrant server or cluster, or back. Nothing is encoded.

    Interrupted, run it again: it goes on. What is in the old store stays until you remove it.
    """
    from app.wiring import open_store_of
    from indexes.archive.copying import copy_slice

    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    loaded = invocation.load()
    old = loaded.settings.store.url if come_from is None else _url(come_from)
    new = _url(to)
    _check(old, new)
    folders = _folders(loaded.settings.home / "slices", experts or [], switch)
    source, target = open_store_of(loaded.settings, old), open_store_of(loaded.settings, new)
    copied: list[Copied] = []
    for folder in folders:
        with output.progress(f"copying {folder.name}") as update:
            done = copy_slice(
                folder,
                source,
                target,
                replacing=replace,
                on_progress=partial(counting(update), f"passages of {folder.name}"),
            )
        copied.append(done)
        output.show(_line(done))
    file = _switch(loaded, new) if switch else None
    if as_json:
        listed = [each.to_dict() for each in copied]
        output.document({"from": old, "to": new, "experts": listed, "settings": None if file is None else str(file)})
    else:
        _tell(output, loaded, new, file)


def _url(given: str) -> str:
    return "" if given == EMBEDDED else given


def _check(old: str, new: str) -> None:
    from indexes.errors import InputError

    if old == new:
        raise InputError(
            f"The slices are in that store already: {old or EMBEDDED}.",
            f"Name another with --to, such as http://localhost:6333 or {EMBEDDED}, or where they are with --from.",
        )


def _folders(slices: Path, experts: list[str], switch: bool) -> list[Path]:
    from indexes.errors import InputError, unknown_expert

    known = {path.parent.name: path.parent for path in sorted(slices.glob("[!.]*/slice.json"))}
    unknown = [name for name in experts if name not in known]
    if unknown:
        raise unknown_expert(unknown[0], known)
    if not known:
        raise InputError(f"There are no experts in {slices}.", "Name the home that holds them with --home FOLDER.")
    others = [name for name in known if experts and name not in experts]
    if switch and others:
        raise InputError(
            f"The settings cannot be switched while other experts stay behind: {', '.join(others)}.",
            "Copy all experts, or leave out --switch.",
        )
    return [folder for name, folder in known.items() if not experts or name in experts]


def _switch(loaded: Loaded, url: str) -> Path:
    from app.settings.edit import set_in_file
    from app.settings.layers import FILE

    file = loaded.file or Path.cwd() / FILE
    set_in_file(file, "store", "url", url)
    return file


def _line(done: Copied) -> str:
    there = done.points - done.written
    removed = f", {done.removed:,} others removed" if done.removed else ""
    return (
        f"{done.name}: {done.points:,} passages, {done.written:,} written, {there:,} there already{removed}; "
        f"{done.compared:,} read back, {done.exact:,} of them equal to the last bit"
    )


def _tell(output: Output, loaded: Loaded, url: str, file: Path | None) -> None:
    output.show(f'Written to {file}: [store] url = "{url}"' if file else f'Now set [store] url = "{url}".')
    origin = loaded.origins["store.url"]
    if origin in (VARIABLE, "flag"):
        name = f"environment variable {VARIABLE}" if origin == VARIABLE else "flag"
        output.note(f"The {name} still says where the slices are, and wins over the file: change it, too.", "yellow")
    output.note("The old store was only read, and is still as it was. Remove it when the new one serves well.")
