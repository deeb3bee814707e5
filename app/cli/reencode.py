"""``symposia reencode``: all slices by another encoder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.invocation import Invocation
from app.cli.options import AsJson
from app.cli.output import Output, duration

if TYPE_CHECKING:
    from app.reencode import Reencoded
    from app.settings import Loaded
    from retrievers.reencoding import Progress

KEY = "models.encoder"


def reencode(
    ctx: typer.Context,
    encoder: Annotated[
        str, typer.Option(metavar="MODEL", help="A name from `symposia models list`, or a folder; else as set.")
    ] = "",
    experts: Annotated[
        list[str] | None, typer.Option("--expert", metavar="NAME", help="Only this one now. Repeatable; else all.")
    ] = None,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Keep what the old encoder made, so that going back costs little.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Encode all slices anew with another encoder, beside the present ones, and switch to it at the end.

    Interrupted, run it again: it goes on. Until all slices are there, everything is asked as before.

    Without --encoder, slices that another encoder has made follow the one that is set; and what is left of others is deleted.
    """
    invocation: Invocation = ctx.obj
    output = invocation.output(as_json)
    loaded = invocation.load()
    wanted = _named(invocation, encoder) if encoder else loaded.settings.models.encoder
    switches = wanted != loaded.settings.models.encoder
    file = _file(loaded) if switches else None
    with invocation.open() as symposium, output.progress(f"encoding with {wanted}") as update:
        done = symposium.reencode(
            wanted,
            experts or (),
            swap=not switches or file is not None,
            commit=lambda: _switch(file, wanted),
            keep_old=True if keep_old else None,
            on_progress=lambda progress: update(_progress(progress)),
        )
    switched = file if done.outcome.swapped else None
    if as_json:
        output.document({**done.to_dict(), "settings": None if switched is None else str(switched)})
    else:
        _show(output, done, switched, switches)


def _named(invocation: Invocation, encoder: str) -> str:
    """The encoder as the settings hold it: a path is made absolute, and so is the name of a folder that is here."""
    from app.models.manifest import load_manifest

    flags = {**invocation.flags, KEY: encoder}
    named = replace(invocation, flags=flags).load().settings.models.encoder
    is_folder = named not in load_manifest() and Path(named).is_dir()
    return str(Path(named).resolve()) if is_folder else named


def _file(loaded: Loaded) -> Path | None:
    """The settings file that decides which encoder is opened; ``None`` where there is none, or a variable or flag decides."""
    from app.settings.layers import variable

    return None if loaded.origins[KEY] in {variable(KEY), "flag"} else loaded.file


def _switch(file: Path | None, encoder: str) -> None:
    if file is not None:
        from app.settings.edit import set_in_file

        section, _, name = KEY.partition(".")
        set_in_file(file, section, name, encoder)


def _progress(progress: Progress) -> str:
    if not progress.expert:
        return "preparing the switch, which waits for those who are adding documents"
    rate = "" if progress.rate is None else f", {progress.rate:,.0f}/s"
    left = "" if progress.left is None else f", at most {duration(progress.left)} left"
    return (
        f"{progress.expert}: {progress.done:,} of {progress.total:,} passages, {progress.encoded:,} encoded{rate}{left}"
    )


def _show(output: Output, done: Reencoded, file: Path | None, switches: bool) -> None:
    for slice_ in done.outcome.slices:
        output.show(f"{slice_.expert}: {slice_.passages:,} passages, {slice_.encoded:,} of them encoded now")
    for name, problem in done.outcome.problems.items():
        output.note(f"{name}: {problem}", style="red")
    output.show(_ending(done, file, switches))
    if not done.outcome.waiting:
        for line in _consequences(done):
            output.note(line, style="yellow")


def _ending(done: Reencoded, file: Path | None, switches: bool) -> str:
    took, setting = f"in {duration(done.seconds)}", f"[models] encoder = {json.dumps(done.encoder)}"
    if done.outcome.waiting:
        return f"Still to be encoded before anything changes: {', '.join(done.outcome.waiting)}."
    if not done.outcome.swapped:
        return f"Encoded, {took}. Now set {setting}: whatever is started from then on asks with it."
    if not done.outcome.slices and not switches:
        dropped = f" What {done.outcome.dropped} others had left was deleted." if done.outcome.dropped else ""
        return f"All slices are of {done.encoder}.{dropped}"
    written = f" Written to {file}: {setting}." if file is not None and switches else ""
    return f"All slices are asked with {done.encoder} now, {took}.{written}"


def _consequences(done: Reencoded) -> list[str]:
    lines = []
    if done.lost:
        names = ", ".join(each.expert for each in done.lost)
        lines.append(f"What these had learned was for the old encoder; `symposia train` them again: {names}.")
    if done.void:
        kinds = " and ".join(f"the {each}'s" for each in done.void)
        lines.append(
            f"Fitted with another encoder, and so not in force: {kinds} calibration. `symposia calibrate` again."
        )
    if done.kept or not done.outcome.swapped:
        lines.append("The old vectors are still there: once nobody asks with them, `symposia reencode` deletes them.")
    return lines
