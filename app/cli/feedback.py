"""``symposia feedback``: what the thumbs teach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from app.cli.conversations import OF, Owner, opened, written
from app.cli.options import AsJson

feedback = typer.Typer(help="Make training pairs of thumbs.", no_args_is_help=True)


@feedback.command("export")
def export(
    ctx: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="JSONL, written anew; else stdout.", show_default=False)
    ] = None,
    expert: Annotated[str, typer.Option("--expert", metavar="NAME", help="Pairs of this expert alone.")] = "",
    of: Owner = OF,
    everyone: Annotated[bool, typer.Option("--everyone", help="Read the thumbs of all who asked.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write pairs of a question and a passage that answers it, for `symposia train EXPERT --data FILE`.

    They come of thumbs up: the passages that the answer's checked sentences cite. A thumb down teaches nothing by itself,
    since it does not tell whether the passages or the writing was wrong; it withdraws the pairs of the same question.
    """
    output, store, principal = opened(ctx, of, as_json)
    from app.conversations.pairs import taught

    found = taught(store.judged_by_all(principal) if everyone else store.judged(principal), expert)
    lines = "".join(json.dumps(pair.to_dict(), ensure_ascii=False) + "\n" for pair in found.pairs)
    if out is not None:
        written(out, lines)
    elif not as_json:
        output.verbatim(lines)
    if as_json:
        output.document({**found.to_dict(), "file": None if out is None else str(out)})
        return
    output.note(
        f"{len(found.pairs)} pairs of {found.up} thumbs up ({found.silent} behind answers that cite nothing) and "
        f"{found.down} down ({found.withdrawn} pairs withdrawn)."
    )
